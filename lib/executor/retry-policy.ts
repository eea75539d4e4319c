/** When failed items are tried again: which errors, how often, and after what delay. */
import { NotSerializableError, TaskLoadError, received, typeError, type ErrorCode } from '../errors.js'
import { isThenable } from '../thenable.js'

export interface RetryPolicy {
  /** How often an item is tried at most. */
  readonly attempts: number
  /** How long to wait before the first further try, doubled before each one after it, and the longest wait; in milliseconds. */
  readonly minDelay: number
  readonly maxDelay: number
  /** How much of a wait is left to chance, from 0 to 1. */
  readonly jitter: number
  readonly when?: ((error: unknown) => unknown) | undefined
}

/** Whether an item is tried again that has failed so often, now with this error. Throws what `when` throws. */
export function isRetriable(error: unknown, failures: number, { attempts, when }: RetryPolicy): boolean {
  if (failures >= attempts) return false
  // It would fail in the same way.
  if (error instanceof NotSerializableError || error instanceof TaskLoadError || isWrongCall(error)) return false
  if (when === undefined) return true
  const answer = when(error)
  if (!isThenable(answer)) return Boolean(answer)
  // Should it reject besides, nobody would handle that, and the program would end by it.
  answer.then(undefined, () => undefined)
  throw typeError(
    'ERR_INVALID_OPTION',
    `Cannot retry an item as 'retries.when' must return true or false, and not a promise: received ${received(answer)}`,
  )
}

/** Whether the item is no array of arguments, where it is to be one. */
function isWrongCall(error: unknown): boolean {
  const { code }: { readonly code?: ErrorCode } = Object(error) as object
  return code === 'ERR_INVALID_ARGUMENTS'
}

/** How long to wait after this many failures, in milliseconds. */
export function delayAfter(failures: number, { minDelay, maxDelay, jitter }: RetryPolicy): number {
  const delay = Math.min(maxDelay, minDelay * 2 ** (failures - 1))
  return delay * (1 - jitter * Math.random())
}
