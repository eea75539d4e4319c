/**
 * The volume of a test. `npm test` repeats random cases a few times, in seconds, and runs a part of a matrix.
 * `npm run verify` sets TEST_VOLUME=full: it repeats them many times, and runs the whole matrix.
 */
export const isFull: boolean = process.env.TEST_VOLUME === 'full'

/**
 * Whether suites that also run on worker processes run there as a whole. A process takes long to start, so otherwise a
 * few of their ways are chosen, at any volume: TEST_PROCESSES=full npm run test:jest -- --full
 */
export const isFullOnProcesses: boolean = process.env.TEST_PROCESSES === 'full'

export function times(few: number, many: number): number {
  return isFull ? many : few
}

/**
 * The combinations of a matrix that are run: all at full volume, otherwise those of `allPairs()`.
 *
 * @param dimensions The properties in which the combinations differ.
 */
export function pairwise<T extends object>(all: readonly T[], ...dimensions: readonly (keyof T)[]): readonly T[] {
  return isFull ? all : allPairs(all, dimensions)
}

/** Some combinations of a matrix. Where any two values of two dimensions come together in it, they do so in these. */
export function allPairs<T extends object>(all: readonly T[], dimensions: readonly (keyof T)[]): readonly T[] {
  const left = new Set(all.flatMap((one) => pairsOf(one, dimensions)))
  const count = (one: T): number => pairsOf(one, dimensions).filter((pair) => left.has(pair)).length
  const chosen = new Set<T>()
  while (left.size > 0) {
    const best = all.reduce((best, one) => (count(one) > count(best) ? one : best))
    for (const pair of pairsOf(best, dimensions)) left.delete(pair)
    chosen.add(best)
  }
  return all.filter((one) => chosen.has(one))
}

function pairsOf<T extends object>(one: T, dimensions: readonly (keyof T)[]): string[] {
  return dimensions.flatMap((first, at) =>
    dimensions.slice(at + 1).map((second) => JSON.stringify([first, one[first], second, one[second]])),
  )
}
