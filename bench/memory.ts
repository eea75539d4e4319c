/**
 * Peak memory against the number of items, with a consumer slower than the workers: flat means flat.
 *
 * Each run has a process of its own; sizes and rounds are interleaved. Every run first streams a million items, since V8
 * sizes the heap of any program (see the control, a plain loop without threads) by the first few million objects that it
 * makes: without the warm-up, the loop alone grows by more than the stream does with it.
 *
 * Fails when ten million items need over 20 MB more than a hundred thousand do, by the medians of the rounds, or when a
 * result is missing or out of order.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Peak } from './memory-run.js'

const SIZES = [100_000, 1_000_000, 10_000_000] as const
const WARM_UP = 1_000_000
const ROUNDS = 3
/** What the consumer takes for each result, in microseconds; a worker takes under one for each item. */
const LINGER = 2
const ALLOWED_GROWTH_MB = 20

const run = promisify(execFile)
const script = fileURLToPath(new URL('./memory-run.js', import.meta.url))

interface Case {
  readonly how: 'imap' | 'plain loop'
  readonly warmUp: number
  readonly peaks: Map<number, Peak[]>
}

async function measure({ how, warmUp }: Case, items: number): Promise<Peak> {
  const args = [how, warmUp, items, LINGER].map(String)
  const { stdout } = await run(process.execPath, [script, ...args])
  return JSON.parse(stdout) as Peak
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

function megabytes(of: Case, items: number): number[] {
  return (of.peaks.get(items) ?? []).map((peak) => peak.megabytes)
}

const cases: Case[] = [
  { how: 'imap', warmUp: WARM_UP, peaks: new Map() },
  { how: 'imap', warmUp: 0, peaks: new Map() },
  { how: 'plain loop', warmUp: 0, peaks: new Map() },
]
for (let round = 0; round < ROUNDS; round++) {
  for (const items of SIZES) {
    for (const one of cases) one.peaks.set(items, [...(one.peaks.get(items) ?? []), await measure(one, items)])
  }
}

console.log(`Node ${process.version}, ${ROUNDS} rounds, consumer ${LINGER} µs per result; peak MB: median (each round)`)
for (const one of cases) {
  const warm = one.warmUp === 0 ? 'cold' : `after ${one.warmUp} items`
  console.log(`\n${one.how}, ${warm}`)
  for (const items of SIZES) {
    const each = megabytes(one, items)
    const seconds = median((one.peaks.get(items) ?? []).map((peak) => peak.seconds))
    const list = each.map((mb) => mb.toFixed(0)).join(', ')
    console.log(`${String(items).padStart(10)} items   ${median(each).toFixed(0)} (${list})   ${seconds.toFixed(1)} s`)
  }
  const growth = median(megabytes(one, SIZES[2])) - median(megabytes(one, SIZES[0]))
  console.log(`    growth from first to last: ${growth.toFixed(1)} MB`)
  if (one.how === 'imap' && one.warmUp > 0 && !(growth <= ALLOWED_GROWTH_MB)) {
    console.log(`    which is over the ${ALLOWED_GROWTH_MB} MB allowed`)
    process.exitCode = 1
  }
}
