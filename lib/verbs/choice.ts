/**
 * Which items are in a random sample. A hash of its number and the seed decides on each item. So the same seed gives the
 * same sample, and no item depends on another one.
 */

const RANGE = 2 ** 32
/** The golden ratio, in 32 bits: an odd number whose bits have no pattern. */
const SPREAD = 0x9e3779b9

export class Choice {
  readonly #limit: number
  readonly #key: number
  #position: number

  /**
   * @param share From 0 to 1.
   * @param seed An integer of at least 0.
   * @param position The number of the next item.
   */
  constructor(share: number, seed: number, position = 0) {
    this.#limit = share * RANGE
    this.#key = keyed(SPREAD, seed)
    this.#position = position
  }

  /** The number of the next item, from 0. */
  get position(): number {
    return this.#position
  }

  /** Whether the next item is chosen. */
  next(): boolean {
    return keyed(this.#key, this.#position++) >>> 0 < this.#limit
  }

  /** The runs of chosen items among the next ones, as positions from 0: each from its start up to its end. */
  *runs(count: number): Generator<readonly [start: number, end: number], undefined, undefined> {
    let start = -1
    for (let at = 0; at < count; at++) {
      const isChosen = this.next()
      if (isChosen && start < 0) start = at
      if (isChosen || start < 0) continue
      yield [start, at]
      start = -1
    }
    if (start >= 0) yield [start, count]
  }
}

/** All 53 bits of the number count. */
function keyed(key: number, number: number): number {
  const high = mixed(Math.floor(number / RANGE) + key)
  return mixed(mixed((number ^ high) + key) + SPREAD)
}

/** Each bit of the input changes about half of the bits of the result. */
function mixed(input: number): number {
  let bits = input | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return bits ^ (bits >>> 16)
}
