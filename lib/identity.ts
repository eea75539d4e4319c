/** Says which thread this is: the main thread, a worker of a pool, or a `Process`. */
import { threadId } from 'node:worker_threads'

/** A thread, as `currentProcess()` and `parentProcess()` show it. */
export interface ProcessInfo {
  /** `'MainProcess'`, the name of a `Process`, or the name of a pool's worker: the pool's name and a number. */
  readonly name: string
  /** Its thread id; 0 is the main thread. */
  readonly pid: number
  /** Whether the program ends without waiting for it. */
  readonly daemon: boolean
}

let own: ProcessInfo = { name: threadId === 0 ? 'MainProcess' : `Thread-${threadId}`, pid: threadId, daemon: false }
let parent: ProcessInfo | null = null

/**
 * Says which thread this is. It reads a variable, so it is cheap.
 *
 * @example
 * ```ts
 * import { currentProcess } from 'millrace/multiprocessing'
 *
 * console.log(currentProcess())
 * // → { name: 'MainProcess', pid: 0, daemon: false }
 * ```
 */
export function currentProcess(): ProcessInfo {
  return own
}

/**
 * Says which thread has started this thread. It is `null` in the main thread, and in a thread that was started without
 * this library.
 *
 * @example
 * ```ts
 * import { apply, isMainThread, task } from 'millrace'
 * import { parentProcess } from 'millrace/multiprocessing'
 *
 * const parent = task(import.meta.url, 'parent', () => parentProcess()?.name)
 *
 * if (isMainThread) console.log(parentProcess(), await apply(parent))
 * // → null MainProcess
 * ```
 */
export function parentProcess(): ProcessInfo | null {
  return parent
}

/** The identity that a starting thread receives from the thread that starts it. */
export interface GivenIdentity {
  readonly name: string
  readonly daemon: boolean
  readonly parent: ProcessInfo
}

export function takeIdentity(given: GivenIdentity): void {
  own = { name: given.name, pid: threadId, daemon: given.daemon }
  parent = given.parent
}
