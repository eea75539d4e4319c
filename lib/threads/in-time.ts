/** Waits for a promise, but only for a given time. */
import { MAX_TIMEOUT } from '../options.js'

/**
 * Waits until a promise has settled, or the time is over. Its timer keeps the program alive.
 *
 * @param settled Never rejects.
 * @param milliseconds More than a timer of Node can wait: no limit.
 * @returns Whether the promise has settled.
 */
export async function inTime(settled: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    if (milliseconds > MAX_TIMEOUT) return
    timer = setTimeout(() => {
      resolve(false)
    }, milliseconds)
  })
  const inTime = await Promise.race([settled.then(() => true), late])
  clearTimeout(timer)
  return inTime
}
