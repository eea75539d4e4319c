/** The batches of a source, with marks between them where they are asked for. */
import type { Batch } from '../codec/batch.js'
import type { Mark, MarkRequest } from '../resume/mark.js'
import { isPromise } from './iterator-result.js'
import type { BatchReader, PipelineEnd } from './source.js'

/** A reader that knows where it is. */
export interface PlacedReader<P> extends BatchReader {
  /**
   * Where another run goes on behind the last batch that `next()` has given. To be called before `next()`, or directly
   * after it has given a promise.
   */
  place(): P
}

/** A read that was under way when a mark was given. */
interface Read<P> {
  readonly batch: Promise<Batch | undefined>
  /** Where it began. */
  readonly place: P
  hasSettled: boolean
}

export class MarkedBatches<P> implements BatchReader {
  readonly #batches: PlacedReader<P>
  readonly #request: MarkRequest
  readonly #note: (mark: Mark, place: P) => void
  #read: Read<P> | undefined
  /** The rest of a batch that had more values than were wanted when it came. */
  #rest: Batch | undefined
  /** Where the read that gave the end began: in the last input, which may grow. */
  #end: P | undefined

  /** @param note Notes on a mark where it stands. */
  constructor(batches: PlacedReader<P>, request: MarkRequest, note: (mark: Mark, place: P) => void) {
    this.#batches = batches
    this.#request = request
    this.#note = note
  }

  next(max: number): Batch | undefined | Promise<Batch | undefined> {
    if (this.#rest !== undefined) return this.#give(this.#rest, max)
    const read = this.#read
    if (read !== undefined) return (read.hasSettled ? undefined : this.#mark(read.place)) ?? this.#await(read, max)
    if (this.#request.isDue) return this.#mark(this.#batches.place())
    const batch = this.#batches.next(max)
    if (!isPromise(batch)) return batch
    return this.#await({ batch, place: this.#batches.place(), hasSettled: false }, max)
  }

  close(end?: PipelineEnd): unknown {
    this.#request.onAsk(undefined)
    this.#rest?.release()
    this.#rest = undefined
    return this.#batches.close(end)
  }

  /** Everything was read: notes on a mark where. */
  noteEnd(mark: Mark): void {
    this.#note(mark, this.#end ?? this.#batches.place())
  }

  #mark(place: P): Mark | undefined {
    const mark = this.#request.take()
    if (mark !== undefined) this.#note(mark, place)
    return mark
  }

  /** Waits for the batch, or for a mark to be asked for, which then comes before the batch. */
  #await(read: Read<P>, max: number): Promise<Batch | undefined> {
    this.#read = read
    return new Promise((resolve, reject) => {
      const request = this.#request
      let isMarked = false
      request.onAsk(() => {
        const mark = read.hasSettled ? undefined : this.#mark(read.place)
        if (mark === undefined) return
        isMarked = true
        request.onAsk(undefined)
        resolve(mark)
      })
      const settle = (answer: () => void): void => {
        read.hasSettled = true
        if (isMarked) return
        request.onAsk(undefined)
        this.#read = undefined
        answer()
      }
      read.batch.then(
        (batch) => {
          if (batch === undefined) this.#end = read.place
          settle(() => {
            resolve(batch && this.#give(batch, max))
          })
        },
        (error: unknown) => {
          settle(() => {
            reject(error)
          })
        },
      )
    })
  }

  /** At most `max` values of the batch. */
  #give(batch: Batch, max: number): Batch {
    this.#rest = undefined
    if (batch.length <= max) return batch
    const first = batch.slice(0, max)
    this.#rest = batch.slice(max, batch.length)
    batch.release()
    return first
  }
}
