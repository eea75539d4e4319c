/** The errors of parts of a pipeline that can only begin at their start. */
import { CheckpointError, received } from '../errors.js'

/**
 * @param what The part, such as "csv() of a pipe".
 * @param cure What to write instead.
 */
export function notResumable(what: string, cure: string): CheckpointError {
  return new CheckpointError(
    `Cannot go on where a run was stopped as the source must be able to begin in the middle: received ${what} (${cure})`,
    'ERR_NOT_RESUMABLE',
  )
}

/** A source, or a stage, of which nothing says how it goes on. */
export function notResumableSource(part: object): CheckpointError {
  return notResumable(received(part), cureOf(part))
}

function cureOf(part: object): string {
  const { pipe, getReader, next } = part as {
    readonly pipe?: unknown
    readonly getReader?: unknown
    readonly next?: unknown
  }
  if (typeof pipe === 'function' || typeof getReader === 'function')
    return 'a stream cannot be read again: write it to a file first, and read that'
  if (typeof next === 'function') return 'an iterator has no places: use resumable(), which is told where to begin'
  if (part instanceof Map || part instanceof Set || ArrayBuffer.isView(part))
    return 'make an array of it: Array.from(values)'
  return 'read a file, or your own data by resumable()'
}
