/** Runs one chunk inside a worker, in the way that its job asks for, and posts the outcomes in parts. */
import { encodeError } from '../codec/error-codec/encode.js'
import type { EncodedError } from '../codec/error-codec/types.js'
import { runConcurrent, runConcurrentInOrder } from './run-concurrent.js'
import { RunningChunk, type Host } from './chunk.js'
import { fold } from './fold.js'
import { SequentialRun } from './run-sequential.js'
import type { TaskFunction } from './load.js'
import { Poster } from './poster.js'
import type { ChunkMessage, WorkerJob } from './protocol.js'

export class ChunkRun {
  readonly #chunk: RunningChunk
  readonly #poster: Poster

  constructor(message: ChunkMessage, job: WorkerJob, host: Host) {
    this.#chunk = new RunningChunk(message, job, host)
    this.#poster = new Poster(this.#chunk)
  }

  /** Fires the signal of the items that run. */
  cancel(reason?: EncodedError): void {
    this.#chunk.cancel(reason)
  }

  /**
   * Runs all items, or those before a cancel, and posts the last part: at once if no item had to be awaited, otherwise
   * before the promise settles. It never throws or rejects for anything that a task does.
   */
  run(fn: TaskFunction): Promise<void> | undefined {
    this.#poster.begin()
    const running = this.#runAll(fn)
    if (running === undefined) this.#poster.post(true)
    return running?.then(() => {
      this.#poster.post(true)
    })
  }

  /** Fails every item: there is no function to run. */
  fail(reason: unknown): void {
    this.#poster.post(true, encodeError(reason))
  }

  #runAll(fn: TaskFunction): Promise<void> | undefined {
    const { kind, concurrency, ordered } = this.#chunk.job
    if (kind === 'reduce') return fold(fn, this.#chunk, this.#poster)
    if (concurrency > 1) return (ordered ? runConcurrentInOrder : runConcurrent)(fn, this.#chunk, this.#poster)
    return new SequentialRun(fn, this.#chunk, this.#poster).run()
  }
}
