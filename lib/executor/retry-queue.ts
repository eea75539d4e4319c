/**
 * The chunks of a lane that are to go again: each waits for its time, and then for room, which it gets before new chunks do.
 * Which errors are tried again is decided here, too.
 */
import { NotSerializableError, TaskLoadError, received, typeError, type ErrorCode } from '../errors.js'
import { Fifo } from '../fifo.js'
import { isThenable } from '../thenable.js'
import type { Chunk, Lane } from './executor.js'

/** When failed items are tried again: which errors, how often, and after what delay. */
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

export class RetryQueue {
  readonly #lane: Lane
  readonly #policy: RetryPolicy
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Those that wait for room. */
  readonly #due = new Fifo<Chunk>()
  #retried = 0
  #error: { readonly error: unknown } | undefined
  #closed = false

  constructor(lane: Lane, policy: RetryPolicy) {
    this.#lane = lane
    this.#policy = policy
  }

  /** Any call of `isRetriable` may close it: the option `when` may end the stream, or throw. */
  get isClosed(): boolean {
    return this.#closed
  }

  get hasDue(): boolean {
    return this.#due.size > 0
  }

  /** What the option `when` has thrown. */
  get error(): { readonly error: unknown } | undefined {
    return this.#error
  }

  /** How many times an item was to be tried again. */
  get retried(): number {
    return this.#retried
  }

  /** Whether an item is tried again that has failed so often, now with this error. */
  isRetriable(error: unknown, failures: number): boolean {
    if (this.#closed) return false
    try {
      return isRetriable(error, failures, this.#policy)
    } catch (thrown) {
      this.close()
      this.#error = { error: thrown }
      return false
    }
  }

  /** Counts an item that is tried again. */
  count(): void {
    this.#retried++
  }

  /**
   * Submits a chunk after the wait for this number of failures. Until then it keeps the program alive, as a running
   * item does.
   */
  submitLater(chunk: Chunk, failures: number): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer)
        this.#due.push(chunk)
        this.submitDue()
      },
      delayAfter(failures, this.#policy),
    )
    this.#timers.add(timer)
  }

  /** As far as there is room. */
  submitDue(): void {
    while (this.#lane.ready) {
      const chunk = this.#due.shift()
      if (chunk === undefined) return
      this.#lane.submit(chunk)
      this.#lane.flush()
    }
  }

  close(): void {
    this.#closed = true
    this.#error = undefined
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#due.clear()
  }
}

/** Whether an item is tried again that has failed so often, now with this error. Throws what `when` throws. */
function isRetriable(error: unknown, failures: number, { attempts, when }: RetryPolicy): boolean {
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

/** Whether the task expected an array of arguments, and the item is something else. */
function isWrongCall(error: unknown): boolean {
  const { code }: { readonly code?: ErrorCode } = Object(error) as object
  return code === 'ERR_INVALID_ARGUMENTS'
}

/** How long to wait after this many failures, in milliseconds. */
function delayAfter(failures: number, { minDelay, maxDelay, jitter }: RetryPolicy): number {
  const delay = Math.min(maxDelay, minDelay * 2 ** (failures - 1))
  return delay * (1 - jitter * Math.random())
}
