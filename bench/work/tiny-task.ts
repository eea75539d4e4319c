/** The smallest task there can be. */
import { task } from 'millrace/task'

export const increment = task(import.meta.url, function increment(n: number): number {
  return n + 1
})
