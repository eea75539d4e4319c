/**
 * The chunks of a lane that are to be submitted again. Each waits for its time, and then for room, which it gets before new chunks.
 * Also decides which errors are tried again.
 */
import {
  NotSerializableError,
  OutputError,
  RecordError,
  TaskLoadError,
  received,
  typeError,
  type ErrorCode,
} from '../errors.js'
import { Fifo } from '../fifo.js'
import { isThenable } from '../thenable.js'
import type { Chunk, Lane } from './executor.js'

export interface RetryPolicy {
  /** How often an item is tried, its first try included. */
  readonly attempts: number
  /** The wait before the second try, which doubles before each later one, and the longest wait; in milliseconds. */
  readonly minDelay: number
  readonly maxDelay: number
  /** The part of each wait that is random, from 0 to 1. */
  readonly jitter: number
  readonly when?: ((error: unknown) => unknown) | undefined
}

export class RetryQueue {
  readonly #lane: Lane
  readonly #policy: RetryPolicy
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Those that wait for room. */
  readonly #due = new Fifo<Chunk>()
  /** How many times an item was to be tried again. Counted by those who submit it. */
  retried = 0
  #error: { readonly error: unknown } | undefined
  #closed = false

  constructor(lane: Lane, policy: RetryPolicy) {
    this.#lane = lane
    this.#policy = policy
  }

  /** Any call of `isRetriable` may close it, because the option `when` may end the stream, or throw. */
  get isClosed(): boolean {
    return this.#closed
  }

  get hasDue(): boolean {
    return this.#due.size > 0
  }

  /** The error that the option `when` has thrown. */
  get error(): { readonly error: unknown } | undefined {
    return this.#error
  }

  /** Whether an item that has failed so often, now with this error, is tried again. */
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

  /** Submits a chunk after the wait for this number of failures. The wait keeps the program alive, as a running item does. */
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

function isRetriable(error: unknown, failures: number, { attempts, when }: RetryPolicy): boolean {
  if (failures >= attempts) return false
  // It would fail in the same way.
  if ([NotSerializableError, OutputError, RecordError, TaskLoadError].some((kind) => error instanceof kind))
    return false
  if (isWrongCall(error)) return false
  if (when === undefined) return true
  const answer = when(error)
  if (!isThenable(answer)) return Boolean(answer)
  // If it also rejects, that would be an unhandled rejection, which ends the program.
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

function delayAfter(failures: number, { minDelay, maxDelay, jitter }: RetryPolicy): number {
  const delay = Math.min(maxDelay, minDelay * 2 ** (failures - 1))
  return delay * (1 - jitter * Math.random())
}
