/**
 * The rows of a row group, and where each value is in them. The values of a column are made when they are asked for: then
 * those of one column are in memory, and not of all.
 */
import { endOfValue, unpackValue } from '../formats/packed-value.js'

export class RowGroup {
  readonly count: number
  readonly #bytes: Buffer
  /** Where the values of each column begin. */
  readonly #starts: readonly Uint32Array[]
  /** The column whose values were asked for last. */
  #last: { readonly place: number; readonly values: readonly unknown[] } | undefined

  /**
   * @param bytes Whole rows.
   * @param width How many values each of them has.
   * @param see Called for each value, with its tag.
   */
  constructor(bytes: Buffer, count: number, width: number, see: (place: number, tag: number) => void) {
    this.count = count
    this.#bytes = bytes
    const starts = Array.from({ length: width }, () => new Uint32Array(count))
    // Behind the values of a row is the mark of its end.
    for (let row = 0, at = 0; row < count; row++, at++) {
      for (let place = 0; place < width; place++) {
        const own = starts[place]
        if (own !== undefined) own[row] = at
        see(place, bytes[at] ?? 0)
        at = endOfValue(bytes, at)
      }
    }
    this.#starts = starts
  }

  valuesOf(place: number): readonly unknown[] {
    if (this.#last?.place === place) return this.#last.values
    this.#last = undefined
    const starts = this.#starts[place] ?? []
    const values = new Array<unknown>(this.count)
    // A loop, as `Array.from()` takes twice as long.
    for (let row = 0; row < values.length; row++) values[row] = unpackValue(this.#bytes, starts[row] ?? 0)
    this.#last = { place, values }
    return values
  }
}
