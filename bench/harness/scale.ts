/** The position of a value in the picture, in pixels from the left. */

export interface Scale {
  /** The position where bars begin. */
  readonly origin: number
  at(value: number): number
}

/** A scale for ratios. 1 is the origin. Twice as fast is as far to the right as half as fast is to the left. */
export class LogScale implements Scale {
  readonly origin = 1
  readonly ticks: readonly number[]
  readonly #left: number
  readonly #step: number

  private constructor(from: number, to: number, left: number, right: number) {
    this.ticks = Array.from({ length: to - from + 1 }, (_, i) => 2 ** (from + i))
    this.#step = (right - left) / (to - from)
    this.#left = left - from * this.#step
  }

  /** Holds 1, 2 and all `values`. */
  static over(values: readonly number[], left: number, right: number): LogScale {
    const powers = values.map((value) => Math.log2(value))
    return new LogScale(Math.floor(Math.min(0, ...powers)), Math.ceil(Math.max(1, ...powers)), left, right)
  }

  at(value: number): number {
    return this.#left + Math.log2(value) * this.#step
  }
}

/** From 0 to a little more than the greatest value. */
export class LinearScale implements Scale {
  readonly origin = 0
  readonly #left: number
  readonly #right: number
  readonly #most: number

  private constructor(most: number, left: number, right: number) {
    this.#most = most
    this.#left = left
    this.#right = right
  }

  static over(values: readonly number[], left: number, right: number): LinearScale {
    return new LinearScale(1.1 * Math.max(...values), left, right)
  }

  /** Values below 0 are drawn at 0: memory that shrank. */
  at(value: number): number {
    return this.#left + (Math.max(0, value) / this.#most) * (this.#right - this.#left)
  }
}
