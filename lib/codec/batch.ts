/**
 * Consecutive values on their way: an array, values encoded by another thread, or the bytes of records. Code that passes
 * them on need not know which.
 */
import { holdsShared, pack, unpack, type Data, type Packed } from './codec.js'
import type { Place } from './records/format.js'

export interface Batch {
  readonly length: number
  /** Whether the values travel by reference: as bytes that threads share. */
  readonly isShared?: boolean
  /** The values, decoded. Decodes anew at each call: call it once. A record that is bad gives a `BadRecord`. */
  values(): unknown[]
  /**
   * The values at some positions, in their places. `true`: reading it may have ended a worker. A record that a task of
   * the user reads is then given as a `BadRecord`, without reading it. Batches without this method: see `values()`.
   */
  valuesAt?(positions: ReadonlyMap<number, boolean>): unknown[]
  /** The values in the form in which a message carries them. May be called again: nothing is given away. */
  pack(): Packed
  /** The same for another process: nothing in it is shared. Batches without this method: see `pack()`. */
  packApart?(): Packed
  /** A part of the values, from `start` up to `end`. Both parts of a batch that was cut may be used. */
  slice(start: number, end: number): Batch
  /** Where the value at a position is in its input, if the values are records. */
  placeOf?(position: number): Place | undefined
  /** The path of the file that it is from. This costs less than its whole place. */
  fileOf?(position: number): string | undefined
  /** Both as one batch, if that takes no decoding. Neither of the two is used after that. */
  join(next: Batch): Batch | undefined
  /** Nobody will ask for the values from `start` up to `end` any more. They keep their places. */
  forget(start: number, end: number): void
  /** Nobody will call the others any more: its memory may be used again. Harmless when repeated. */
  release(): void
}

export class Items implements Batch {
  readonly #items: unknown[]

  /** The array is the batch's from now on. */
  constructor(items: unknown[]) {
    this.#items = items
  }

  get length(): number {
    return this.#items.length
  }

  values(): unknown[] {
    return this.#items
  }

  pack(): Packed {
    return pack(this.#items)
  }

  slice(start: number, end: number): Batch {
    return new Items(this.#items.slice(start, end))
  }

  join(next: Batch): Batch | undefined {
    if (!(next instanceof Items)) return undefined
    for (const item of next.#items) this.#items.push(item)
    return this
  }

  forget(start: number, end: number): void {
    this.#items.fill(undefined, start, end)
  }

  release(): void {
    this.#items.fill(undefined)
  }
}

/** Values as another thread encoded them: they may go on to a third one as they are. */
export class Encoded implements Batch {
  readonly length: number
  readonly #bytes: number
  readonly #isForThreads: boolean
  #data: Data | undefined

  /** @param isForThreads Whether one of them may be a value that cannot go to another process. */
  constructor(length: number, data: Data, bytes: number, isForThreads = false) {
    this.#isForThreads = isForThreads
    this.length = length
    this.#data = data
    this.#bytes = bytes
  }

  values(): unknown[] {
    return unpack(this.#data ?? [])
  }

  pack(): Packed {
    const data = this.#data ?? []
    if (holdsShared(data)) return pack(this.values())
    return { data, transfer: [], bytes: this.#bytes, isForThreads: this.#isForThreads }
  }

  slice(start: number, end: number): Batch {
    return new Items(this.values().slice(start, end))
  }

  join(): undefined {
    return undefined
  }

  forget(): void {
    // One value cannot be taken out of the others.
  }

  release(): void {
    this.#data = undefined
  }
}
