/** What one item costs, in time or in bytes, as learnt from chunks. It keeps one number, and knows no limits. */

/** How much of the difference a full chunk's word makes: an average over about the last seven chunks. */
const WEIGHT = 0.25
/** A sample this many times as high, or as low, is a change and not noise: it counts alone, and at once. */
const SURPRISE = 3

export class Rate {
  #perItem: number | undefined

  /** Undefined as long as nothing was learnt. */
  get perItem(): number | undefined {
    return this.#perItem
  }

  /**
   * @param amount What the items cost together. Anything but a number of at least 0 says nothing.
   * @param share How telling that is, from 0 to 1. Below 1, the cost of the chunk itself may outweigh that of its few items.
   * @returns Whether it said something.
   */
  learn(amount: number | undefined, items: number, share: number): boolean {
    if (amount === undefined || !(amount >= 0 && amount < Infinity && items >= 1 && items < Infinity)) return false
    const sample = amount / items
    const known = this.#perItem
    if (known === undefined || (share >= 1 && (sample > known * SURPRISE || sample * SURPRISE < known))) {
      this.#perItem = sample
    } else {
      this.#perItem = known + (sample - known) * WEIGHT * Math.min(1, share)
    }
    return true
  }
}
