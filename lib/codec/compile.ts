/** Code that is generated to split and to build records and tuples. */

/**
 * Splits records from `from` on into `parts`, the first at `to`. @returns Where the first one is that does not fit.
 */
export type Split = (records: readonly unknown[], from: number, parts: readonly unknown[][], to: number) => number
export type Build = (parts: readonly ArrayLike<unknown>[], length: number) => object[]

/** @param source The names of parameters, then the body. It holds nothing from outside except keys, written as JSON. */
export function compile(...source: string[]): (...args: readonly unknown[]) => unknown {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  return new Function(...source) as (...args: readonly unknown[]) => unknown
}
