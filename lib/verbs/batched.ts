/** The stream of `batch(n)`: items of any source in arrays of equal length. It reads only the items of the array that is asked for. */
import { showState } from '../inspect.js'
import type { Source } from '../io/source.js'
import { ReadResults } from './read-results.js'

export class Batched<T> extends ReadResults<T, T[]> {
  static {
    showState(
      this.prototype as Batched<unknown>,
      (batched) => ({ size: batched.#size, state: batched.state }),
      'Batched',
    )
  }

  readonly #size: number

  constructor(source: Source<T>, size: number, signal?: AbortSignal) {
    super('batch', source, signal)
    this.#size = size
  }

  protected async readNext(): Promise<IteratorResult<T[], undefined>> {
    const items: T[] = []
    const given = (): T[] | undefined => (items.length > 0 ? items : undefined)
    const value = await this.readOr(async () => {
      await this.#fill(items)
      return given()
    }, given)
    return value === undefined ? { value, done: true } : { value, done: false }
  }

  async #fill(items: T[]): Promise<void> {
    while (items.length < this.#size && !this.hasEnded) {
      if (this.givesBatches) await this.#addBatch(items)
      else await this.readItems((item) => items.push(item) < this.#size)
    }
  }

  async #addBatch(items: T[]): Promise<void> {
    const batch = await this.readBatch(this.#size - items.length)
    for (const item of batch?.values() ?? []) items.push(item as T)
    batch?.release()
  }
}
