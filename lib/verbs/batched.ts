/** The stream of `batch(n)`: items of any source in arrays of equal length. It reads only the items of the array that is asked for. */
import { Items, type Batch } from '../codec/batch.js'
import { showState } from '../inspect.js'
import { offerBatches, type Source } from '../io/source.js'
import { Mark, offerResume, type Json, type ResumePoint } from '../resume/mark.js'
import { restoredValue, storedValue } from '../resume/values.js'
import { ReadResults } from './read-results.js'

/** What is stored of it, for errors. */
const STORED = 'the items of the last batch'

export class Batched<T> extends ReadResults<T, T[]> {
  static {
    showState(
      this.prototype as Batched<unknown>,
      (batched) => ({ size: batched.#size, state: batched.state }),
      'Batched',
    )
  }

  readonly #size: number
  /** The items of the next array. */
  #next: T[] = []
  /** Whether marks are passed on; and one that has come, behind the items of the next array. */
  #hasMarks = false
  #mark: Mark | undefined
  readonly #point: ResumePoint

  constructor(source: Source<T>, size: number, signal?: AbortSignal) {
    super('batch', source, signal)
    this.#size = size
    this.#point = { source, plan: { verb: 'batch', size }, begin: this.#begin, noteEnd: this.#note }
    offerResume(this, this.#point)
    const reader = { next: () => this.inTurn(() => this.#readBatch()), close: () => this.return() }
    offerBatches(this, () => (this.#hasMarks ? reader : undefined))
  }

  protected override takesBatches(source: Source<T>): boolean {
    return this.#hasMarks || super.takesBatches(source)
  }

  protected async readNext(): Promise<IteratorResult<T[], undefined>> {
    const value = await this.#readArray()
    return value === undefined ? { value, done: true } : { value, done: false }
  }

  /** Undefined at the end, and at a mark. */
  async #readArray(): Promise<T[] | undefined> {
    const given = (): T[] | undefined => {
      if (this.#next.length === 0 || this.#mark !== undefined) return undefined
      const items = this.#next
      this.#next = []
      return items
    }
    return await this.readOr(async () => {
      await this.#fill()
      return given()
    }, given)
  }

  /** An array as the only item, or a mark. */
  async #readBatch(): Promise<Batch | undefined> {
    const array = await this.#readArray()
    const mark = this.#mark
    this.#mark = undefined
    if (mark !== undefined) this.#note(mark)
    return mark ?? (array && new Items([array]))
  }

  readonly #note = (mark: Mark): void => {
    mark.notes.set(this.#point, storedValue(this.#next, STORED))
  }

  readonly #begin = (_: unknown, note?: Json): void => {
    this.#hasMarks = true
    if (note !== undefined) this.#next = restoredValue(note, STORED) as T[]
  }

  async #fill(): Promise<void> {
    while (this.#next.length < this.#size && !this.hasEnded && this.#mark === undefined) {
      if (this.givesBatches) await this.#addBatch()
      else await this.readItems((item) => this.#next.push(item) < this.#size)
    }
  }

  async #addBatch(): Promise<void> {
    const batch = await this.readBatch(this.#size - this.#next.length)
    if (batch instanceof Mark) this.#mark = batch
    for (const item of batch?.values() ?? []) this.#next.push(item as T)
    batch?.release()
  }
}
