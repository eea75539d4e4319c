/** Says which thread this is: the main thread, a worker of a pool, or a `Process`. */
import { isMainThread as isMainThreadOfProcess, threadId } from 'node:worker_threads'

/** A thread, as `currentProcess()` and `parentProcess()` show it. */
export interface ProcessInfo {
  /** `'MainProcess'`, the name of a `Process`, or the name of a pool's worker: the pool's name and a number. */
  readonly name: string
  /** Its thread id; 0 is the main thread. Of a worker or a `Process` with `isolation: 'process'`, and of its parent there: the process id. */
  readonly pid: number
  /** Whether the program ends without waiting for it. */
  readonly daemon: boolean
}

/** The argument by which a worker process knows what it is. */
export const CHILD_MARK = '--millrace-worker-process'

const IS_CHILD: unique symbol = Symbol.for('millrace.isWorkerProcess')

/** Whether this is a worker process, or a thread in one. The first copy of this library asks before any task can change the arguments. */
function isInWorkerProcess(): boolean {
  const holder = globalThis as { [IS_CHILD]?: boolean }
  return (holder[IS_CHILD] ??= process.argv[2] === CHILD_MARK)
}

/**
 * Whether this is the main thread of the program: false in the workers of a pool, on threads or in processes. The value of
 * `node:worker_threads` is true in a process.
 *
 * @example
 * ```ts
 * import { apply, isMainThread, task } from 'millrace'
 *
 * const isMain = task(import.meta.url, 'isMain', () => isMainThread)
 *
 * if (isMainThread) console.log(await apply(isMain))
 * // → false
 * ```
 */
export const isMainThread: boolean = isMainThreadOfProcess && !isInWorkerProcess()

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

/** @param pid Of this thread, or, in a worker process, of the process. */
export function takeIdentity(given: GivenIdentity, pid: number = threadId): void {
  own = { name: given.name, pid, daemon: given.daemon }
  parent = given.parent
}
