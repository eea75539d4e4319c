/**
 * `npm run bench -- break-even`: finds the size of input, and the time per item, from which worker threads are faster
 * than a plain loop. Prints a table in Markdown. It is not a case of the benchmark: it compares only these two, without
 * a goal.
 */
import { availableParallelism } from 'node:os'
import { Pool } from 'millrace'
import { describeMachine, loadAverage } from '../harness/machine.js'
import { calibrate, digest, spin, spins } from '../work/spin.js'
import { spin as spinTask } from '../work/tasks.js'

const ITEM_TIMES_US = [1, 3, 10, 30, 100, 300, 1_000]
const ITEM_COUNTS = [100, 1_000, 10_000, 100_000]
/** Larger inputs are left out: their ratio is that of the largest one here. */
const MAX_LOOP_MS = 400
const ROUNDS = 6

type Run = (steps: number, items: number) => number | Promise<number>

function loop(steps: number, items: number): number {
  let digested = 0
  for (const item of spins(steps, items)) digested = digest(digested, spin(item))
  return digested
}

async function stream(pool: Pool, steps: number, items: number): Promise<number> {
  let digested = 0
  for await (const result of pool.imap(spinTask, spins(steps, items))) digested = digest(digested, result)
  return digested
}

async function cold(steps: number, items: number): Promise<number> {
  await using pool = new Pool({ name: 'cold' })
  return await stream(pool, steps, items)
}

/** The milliseconds of one run. Throws if its answer differs from that of the loop. */
async function timed(run: Run, steps: number, items: number, expected: number): Promise<number> {
  const start = performance.now()
  const digested = await run(steps, items)
  const time = performance.now() - start
  if (digested !== expected) throw new Error(`Cannot compare as the answer is ${digested}: expected ${expected}`)
  return time
}

/**
 * The speed of the threads, as a multiple of that of the loop: with a pool that has run before, and with a new one. The
 * best round counts, because other programs can only make a round slower.
 */
async function ratios(pool: Pool, steps: number, items: number): Promise<{ warm: number; cold: number }> {
  const expected = loop(steps, items)
  const best = { plain: Infinity, warm: Infinity, cold: Infinity }
  for (let round = 0; round < ROUNDS; round++) {
    best.plain = Math.min(best.plain, await timed(loop, steps, items, expected))
    best.warm = Math.min(best.warm, await timed((...input) => stream(pool, ...input), steps, items, expected))
    best.cold = Math.min(best.cold, await timed(cold, steps, items, expected))
  }
  return { warm: best.plain / best.warm, cold: best.plain / best.cold }
}

export async function breakEven(): Promise<void> {
  const { processor, cores, versions } = await describeMachine()
  console.log(`${processor}, ${cores} cores, Node ${versions.node}, load average ${loadAverage().toFixed(1)} before`)
  console.log(
    `Workers: ${availableParallelism()}. How many times as fast as a plain loop, best of ${ROUNDS} rounds: warm pool (new pool).\n`,
  )
  await using pool = new Pool({ name: 'warm', idleTimeout: Infinity })
  const stepsPerMicrosecond = calibrate(20) / 20
  console.log(`| time per item | ${ITEM_COUNTS.map((count) => `${count.toLocaleString('en')} items`).join(' | ')} |`)
  console.log(`|---|${'---|'.repeat(ITEM_COUNTS.length)}`)
  for (const time of ITEM_TIMES_US) {
    const cells: string[] = []
    for (const items of ITEM_COUNTS) {
      if ((time * items) / 1_000 > MAX_LOOP_MS) cells.push('')
      else {
        const found = await ratios(pool, Math.round(time * stepsPerMicrosecond), items)
        cells.push(`${found.warm.toFixed(2)} (${found.cold.toFixed(2)})`)
      }
    }
    console.log(`| ${time.toLocaleString('en')} µs | ${cells.join(' | ')} |`)
  }
}
