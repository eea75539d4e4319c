/**
 * Square roots by a pool, compared with a plain loop. For items that cost almost nothing, the loop wins.
 *
 * A root takes a few nanoseconds. Sending its number to another thread, and the root back, takes many times as long.
 * Each is written into a chunk, copied, and read from there. More cores do not make up for that. These things help:
 * - `chunks()`: a `for await` over the stream waits for each root. Over its chunks it waits for thousands at a time, as
 *   `map` does.
 * - Columns: the numbers of a chunk are sent as one block of doubles, not one by one. This happens automatically if
 *   items and results are numbers, strings or plain records.
 * - Larger items: with these the pool wins, in Python, too. Here an item is a part of the range. For 50,000 roots, two
 *   numbers go to a worker, and one comes back.
 */
import { isMainThread, Pool, task } from 'millrace'

const PART = 50_000

const root = task(import.meta.url, 'root', (n: number): number => {
  return Math.sqrt(n)
})

const wholeBetween = task(import.meta.url, 'wholeBetween', (start: number, end: number): number => {
  let count = 0
  for (let n = start; n < end; n++) if (Number.isInteger(Math.sqrt(n))) count++
  return count
})

function* range(end: number): Generator<number> {
  for (let n = 0; n < end; n++) yield n
}

function* parts(end: number): Generator<[start: number, end: number]> {
  for (let start = 0; start < end; start += PART) yield [start, Math.min(start + PART, end)]
}

function whole(roots: Iterable<number>): number {
  let count = 0
  for (const root of roots) if (Number.isInteger(root)) count++
  return count
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}

function loop(count: number): number {
  const roots: number[] = []
  for (const n of range(count)) roots.push(Math.sqrt(n))
  return whole(roots)
}

async function timed<R>(what: string, work: () => R | Promise<R>): Promise<R> {
  const start = performance.now()
  const result = await work()
  console.log(`#   ${what.padEnd(24)} ${((performance.now() - start) / 1000).toFixed(3).padStart(7)} s`)
  return result
}

if (isMainThread) {
  await using pool = new Pool()
  // Python's processes start with the pool, these threads with the first item.
  await pool.apply(root, [0])
  for (const count of [100_000, 5_000_000]) {
    console.log(`# ${count} numbers`)
    const byLoop = await timed('loop', () => loop(count))
    const byPool = await timed('map', async () => whole(await pool.map(root, range(count))))
    await timed('imap', async () => {
      let found = 0
      for await (const y of pool.imap(root, range(count))) if (Number.isInteger(y)) found++
      return found
    })
    await timed('imap, chunks()', async () => {
      let found = 0
      for await (const chunk of pool.imap(root, range(count)).chunks()) found += whole(chunk)
      return found
    })
    const byParts = await timed('starmap over parts', async () => sum(await pool.starmap(wholeBetween, parts(count))))
    console.log(`${count} numbers, whole roots: ${byLoop} by the loop, ${byPool} by the pool, ${byParts} by parts`)
  }
}
