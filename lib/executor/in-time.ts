/** Waiting for something no longer than a given time. */
import { MAX_TIMEOUT } from '../options.js'

/**
 * Waits until a promise has settled, or that time is over. Keeps the program alive meanwhile, unless the promise does not matter for that.
 *
 * @param settled Never rejects.
 * @param milliseconds More than a timer of Node can wait is without limit.
 * @returns Whether it has settled.
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
