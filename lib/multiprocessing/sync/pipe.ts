/** Pipes: two threads that send each other items. */
import { Connection, createConnectionMemory } from './connection.js'
import { PipeState } from './pipe-state.js'

/**
 * Makes two connected ends for two threads. Each end receives the items that the other one sends, in order. Pass one
 * end to a worker in items, results or `initargs`, and keep the other.
 *
 * A thread holds an end from the moment when it arrives there. A `Process` holds it from its `start()`. An end is gone
 * when all threads that held it have closed it or ended. The thread that made the pipe holds both ends. It loses an end
 * when another thread gets it, unless it uses that end itself. So, unlike in Python, you need not close an end that you
 * pass on. Do not close it before it has arrived in a worker of a pool.
 *
 * A thread that got an end still holds it after it passes it on. The other side does not end before that thread calls
 * `close()`, or ends. Close the end when it has arrived in the next thread. You know that from an answer, or from the
 * result of the task that got it. A task of a pool must close it too (`using _ = end`), because its thread continues.
 * While a pipe is open, threads that know it keep its memory.
 *
 * @returns Both ends. They are equal.
 *
 * @example
 * ```ts
 * import { Pipe } from 'millrace/multiprocessing'
 *
 * const [a, b] = Pipe<number>()
 * await a.send(1)
 * await b.send(2)
 * console.log(await a.recv(), await b.recv())
 * // → 2 1
 * ```
 */
export function Pipe<T>(): [Connection<T>, Connection<T>] {
  const ends = new PipeState()
  return [Connection.of(createConnectionMemory(0), [ends]), Connection.of(createConnectionMemory(1), [ends])]
}
