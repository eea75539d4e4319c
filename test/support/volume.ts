/**
 * How much a test does. `npm test` repeats what is random a few times, which takes seconds; `npm run verify` sets TEST_VOLUME=full and
 * repeats it many times.
 */
export const isFull: boolean = process.env.TEST_VOLUME === 'full'

export function times(few: number, many: number): number {
  return isFull ? many : few
}
