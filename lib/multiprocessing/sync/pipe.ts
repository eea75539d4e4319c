/** Pipes: two threads that talk. */
import { Connection, createConnectionMemory } from './connection.js'
import { PipeState } from './pipe-state.js'

/**
 * Two connected ends, for two threads to talk: what one sends, the other receives, in order. Pass one to a worker in items,
 * results or `initargs`, and keep the other.
 *
 * An end is gone when all threads that had it have closed it or ended, in whatever way. A thread has an end from when it
 * arrives there; that of a `Process` from its `start()`. The thread that made the pipe has both, until another thread has been
 * given one; then it has that one only if it uses it. So it needs not close what it passes on, as in Python, and must not before
 * it has arrived in a worker of a pool.
 *
 * A thread that was given an end keeps it also when it passes it on: until it calls `close()`, or ends, the other side finds no end
 * of what is sent. It is to close the end once that has arrived, of which an answer tells, or the result of the task that it went
 * to. A task of a pool is to close it as well (`using _ = end`), as its thread goes on. While a pipe is open, threads that know it
 * keep its memory.
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
