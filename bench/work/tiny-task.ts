/** The smallest possible task. */
import { task } from 'millrace/task'

export const increment = task(import.meta.url, function increment(n: number): number {
  return n + 1
})
