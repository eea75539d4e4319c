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
 * The combinations of a matrix that are run: all at full volume, otherwise some in which each value is there.
 *
 * @param dimensions The properties in which the combinations differ.
 */
export function eachValue<T extends object>(all: readonly T[], ...dimensions: readonly (keyof T)[]): readonly T[] {
  return isFull ? all : covering(all, (one) => dimensions.map((name) => JSON.stringify([name, one[name]])))
}

/** Some combinations of a matrix. Where any two values of two dimensions come together in it, they do so in these. */
export function allPairs<T extends object>(all: readonly T[], dimensions: readonly (keyof T)[]): readonly T[] {
  return covering(all, (one) => pairsOf(one, dimensions))
}

/** Some of a list that have together what all have. @param has What one of them has. */
export function covering<T>(all: readonly T[], has: (one: T) => readonly string[]): readonly T[] {
  const left = new Set(all.flatMap(has))
  const count = (one: T): number => has(one).filter((what) => left.has(what)).length
  const some = new Set<T>()
  while (left.size > 0) {
    const best = all.reduce((best, one) => (count(one) > count(best) ? one : best))
    for (const what of has(best)) left.delete(what)
    some.add(best)
  }
  return all.filter((one) => some.has(one))
}

function pairsOf<T extends object>(one: T, dimensions: readonly (keyof T)[]): string[] {
  return dimensions.flatMap((first, at) =>
    dimensions.slice(at + 1).map((second) => JSON.stringify([first, one[first], second, one[second]])),
  )
}
