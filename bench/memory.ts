/**
 * Peak memory against the number of items, with a consumer slower than the workers: flat means flat.
 *
 * Each size runs in a process of its own, sizes interleaved. Fails when ten million items need over 20 MB more than a
 * hundred thousand do, by the medians of the rounds, or when a run loses an item.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Peak } from './memory-run.js'

const SIZES = [100_000, 1_000_000, 10_000_000] as const
const ROUNDS = 3
/** What the consumer takes for each result, in microseconds; a worker takes under one for each item. */
const LINGER = 2
const ALLOWED_GROWTH_MB = 20

const run = promisify(execFile)
const script = fileURLToPath(new URL('./memory-run.js', import.meta.url))

async function measure(items: number): Promise<Peak> {
  const { stdout } = await run(process.execPath, [script, String(items), String(LINGER)])
  const peak = JSON.parse(stdout) as Peak
  if (peak.checksum !== (items * (items - 1)) / 2) throw new Error(`A run of ${items} items lost or doubled some of them`)
  return peak
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

const peaks = new Map<number, Peak[]>(SIZES.map((items) => [items, []]))
for (let round = 0; round < ROUNDS; round++) {
  for (const items of SIZES) peaks.get(items)?.push(await measure(items))
}

console.log(`Node ${process.version}, ${ROUNDS} rounds, consumer ${LINGER} µs per result`)
console.log('     items   peak MB (median, of)            seconds')
for (const [items, all] of peaks) {
  const megabytes = all.map((peak) => peak.megabytes)
  const each = megabytes.map((mb) => mb.toFixed(1)).join(', ')
  const seconds = median(all.map((peak) => peak.seconds))
  console.log(`${String(items).padStart(10)}   ${median(megabytes).toFixed(1)} (${each})`.padEnd(46) + seconds.toFixed(1))
}
const [small, , large] = [...peaks.values()].map((all) => median(all.map((peak) => peak.megabytes)))
const growth = (large ?? NaN) - (small ?? NaN)
console.log(`growth from ${SIZES[0]} to ${SIZES[2]} items: ${growth.toFixed(1)} MB (allowed: ${ALLOWED_GROWTH_MB})`)
if (!(growth <= ALLOWED_GROWTH_MB)) process.exitCode = 1
