/** The option `maxErrors`: how many items may fail, as a number or as a share of all. */
import { MillraceError } from '../errors.js'

/** A share is judged from this many items on, and at the end. */
const MIN_ITEMS_FOR_SHARE = 1_000

export interface ErrorLimit {
  /** As the user wrote it, for the error text. */
  readonly shown: string
  /** How many items may fail; undefined if it is a share. */
  readonly count?: number | undefined
  /** Which share of all items may fail, from 0 to 1. */
  readonly share?: number | undefined
}

/** Whether more items have failed than may. @param isEnd Whether these are all items. */
export function isExceeded({ count, share }: ErrorLimit, failed: number, items: number, isEnd: boolean): boolean {
  if (count !== undefined) return failed > count
  return share !== undefined && (isEnd || items >= MIN_ITEMS_FOR_SHARE) && failed > share * items
}

export function limitError({ shown }: ErrorLimit, failed: number, items: number, cause: unknown): MillraceError {
  return new MillraceError(
    `Cannot continue the stream as at most 'maxErrors' (${shown}) of its items may fail: ` +
      `received ${failed} failed items of ${items}. The last error is the cause`,
    'ERR_TOO_MANY_ERRORS',
    { cause },
  )
}
