/**
 * Bare worker threads, one for each core, and the results of their parts. The threads share a counter, from which each
 * takes its next part, so that all end at about the same time.
 */
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Totals } from '../work/totals.js'
import type { FileParts, NumberParts } from './jobs.js'

/** What to do with the parts of an input. */
export type Job =
  | { readonly job: 'tally' | 'parse'; readonly input: FileParts }
  | { readonly job: 'root'; readonly input: NumberParts }
  | { readonly job: 'spin'; readonly input: NumberParts; readonly steps: number }

/** A job, as the threads get it. */
export type Order = Job & {
  /** The number of the next part, in shared memory. */
  readonly next: Int32Array<SharedArrayBuffer>
  readonly parts: number
}

/** The numbers of one part. */
export interface Result {
  readonly part: number
  readonly numbers: Float64Array<ArrayBuffer>
}

/** The last message of a thread. */
export interface Done {
  readonly totals?: Totals
}

export class Threads {
  readonly #workers: readonly Worker[]

  private constructor(workers: readonly Worker[]) {
    this.#workers = workers
  }

  static async start(script = './worker.js', count: number = availableParallelism()): Promise<Threads> {
    const workers = Array.from({ length: count }, () => new Worker(new URL(script, import.meta.url)))
    await Promise.all(workers.map((worker) => once(worker, 'online')))
    return new Threads(workers)
  }

  /** Starts a job. Settles with the last message of each thread. */
  run(job: Job, parts: number, each: (result: Result) => void = () => {}): Promise<Done[]> {
    const next = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    const order: Order = { ...job, next, parts }
    return Promise.all(
      this.#workers.map(
        (worker) =>
          new Promise<Done>((resolve, reject) => {
            worker.once('error', reject)
            const listen = (message: Result | Done): void => {
              if ('part' in message) {
                each(message)
                return
              }
              worker.off('message', listen).off('error', reject)
              resolve(message)
            }
            worker.on('message', listen)
            worker.postMessage(order)
          }),
      ),
    )
  }

  /** Sends every item to a thread that echoes it: `atOnce` are in progress. Settles with the sum of the answers. */
  echo(count: number, atOnce: number): Promise<number> {
    return new Promise((resolve, reject) => {
      let [sent, received, sum] = [0, 0, 0]
      for (const worker of this.#workers) {
        worker.removeAllListeners('message').removeAllListeners('error').once('error', reject)
        worker.on('message', (n: number) => {
          sum += n
          if (++received === count) resolve(sum)
          else if (sent < count) worker.postMessage(sent++)
        })
      }
      while (sent < Math.min(count, atOnce)) this.#workers[sent % this.#workers.length]?.postMessage(sent++)
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }
}
