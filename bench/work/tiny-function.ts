/** The smallest function that a pool can run. */
export default function increment(n: number): number {
  return n + 1
}
