/** One measured run of `memory.ts`, in a process of its own: streams so many items, and prints its peak memory. */
import { imap, isMainThread, task } from 'millrace'

export interface Peak {
  /** Peak resident memory of the process, in MB (10⁶ bytes), all its threads included. */
  readonly megabytes: number
  readonly seconds: number
}

interface Reading {
  readonly id: number
  readonly name: string
}

const read = task(import.meta.url, function read(id: number): Reading {
  return { id, name: `reading ${id}` }
})

function* count(items: number): Generator<number> {
  for (let i = 0; i < items; i++) yield i
}

/** The control: the same records by the same kind of loop, with no library and no threads. */
// eslint-disable-next-line @typescript-eslint/require-await -- asynchronous, as the stream is that it stands beside
async function* plainly(source: Iterable<number>): AsyncGenerator<Reading> {
  for (const id of source) yield read(id)
}

/** Busy for so long at every result that the workers, left alone, would run far ahead. */
function linger(microseconds: number): void {
  const until = performance.now() + microseconds / 1_000
  while (performance.now() < until);
}

async function consume(results: AsyncIterable<Reading>, items: number, lingering: number): Promise<void> {
  let expected = 0
  for await (const { id } of results) {
    if (id !== expected++) throw new Error(`Result ${expected - 1} was that of item ${id}`)
    linger(lingering)
  }
  if (expected !== items) throw new Error(`${items} items gave ${expected} results`)
}

if (isMainThread) {
  const [how, ...numbers] = process.argv.slice(2)
  const [warmUp = 0, items = 0, lingering = 0] = numbers.map(Number)
  const run = (n: number): Promise<void> =>
    consume(how === 'imap' ? imap(read, count(n)) : plainly(count(n)), n, lingering)
  await run(warmUp)
  const started = performance.now()
  await run(items)
  const peak: Peak = {
    megabytes: (process.resourceUsage().maxRSS * 1_024) / 1e6,
    seconds: (performance.now() - started) / 1_000,
  }
  console.log(JSON.stringify(peak))
}
