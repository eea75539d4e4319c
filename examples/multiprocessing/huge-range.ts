/**
 * A range that is never made into a list: the last digits of ten million squares, counted.
 *
 * No more is read ahead than the stream's window, however slow the loop is, so memory does not grow with the range.
 */
import { isMainThread, Pool, task } from 'millrace'

const COUNT = 10_000_000

const lastDigit = task(import.meta.url, 'lastDigit', (n: number): number => {
  return (n * n) % 10
})

function* range(end: number): Generator<number> {
  for (let n = 0; n < end; n++) yield n
}

if (isMainThread) {
  const digits = new Array<number>(10).fill(0)
  await using pool = new Pool()
  await pool.apply(lastDigit, [0])
  const before = process.resourceUsage().maxRSS
  // Chunks size themselves.
  const stream = pool.imap(lastDigit, range(COUNT))
  for await (const digit of stream) digits[digit]++
  const grown = Math.round((process.resourceUsage().maxRSS - before) / 1024)
  console.log(`# peak memory grew by ${grown} MiB, workers included; at most ${stream.stats().window} items read ahead`)
  for (const [digit, count] of digits.entries()) console.log(digit, count)
}
