/**
 * The volume of a test. `npm test` repeats random cases a few times, in seconds. `npm run verify` sets TEST_VOLUME=full
 * and repeats them many times.
 */
export const isFull: boolean = process.env.TEST_VOLUME === 'full'

export function times(few: number, many: number): number {
  return isFull ? many : few
}
