/** Pipes: two threads that talk. */
import { Connection, createConnectionMemory } from './connection.js'
import { PipeState } from './pipe-state.js'

/**
 * Makes two connected ends, with which two threads talk. What one end sends, the other receives, in order. Pass one end
 * to a worker in items, results or `initargs`, and keep the other.
 *
 * A thread holds an end from the moment it arrives there; a `Process` holds it from its `start()`. An end is gone when
 * all threads that held it have closed it or ended. The thread that made the pipe holds both ends. It loses an end when
 * another thread gets it, unless it uses that end itself. So, unlike in Python, you need not close an end that you pass
 * on. Do not close it before it has arrived in a worker of a pool.
 *
 * A thread that was given an end still holds it after it passes it on: until it calls `close()`, or ends, the other
 * side finds no end of what is sent. Close the end when it has arrived: an answer tells that, or the result of the task
 * that it went to. A task of a pool closes it too (`using _ = end`), because its thread goes on. While a pipe is open,
 * threads that know it keep its memory.
 *
 * @returns Both ends, which are alike.
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
