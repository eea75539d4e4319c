/** The streams of the soak of a cluster. Each runs once, and throws unless each item has its outcome once, in its place. */
import { WorkerCrashError, type Outcome } from 'millrace'
import type { Cluster } from 'millrace/nats'
import { soaked, total, type Load } from '../../fixtures/nats-tasks.js'

const ITEMS = 1_000
const MOODS: readonly (readonly [mood: Load['mood'], oneIn: number])[] = [
  ['abort', 2_000],
  ['throw', 100],
  ['slow', 10],
]

export interface Way {
  readonly cluster: Cluster
  /** From 0 up to 1. */
  readonly random: () => number
  /** Called for each outcome. */
  readonly came: () => void
}

export type Run = (way: Way) => Promise<void>

export function pick<const T>(random: () => number, values: readonly T[]): T {
  const value = values[Math.floor(random() * values.length)]
  if (value === undefined) throw new Error('There is nothing to pick from')
  return value
}

function loads({ random }: Way): Load[] {
  const mood = (): Load['mood'] => MOODS.find(([, oneIn]) => random() * oneIn < 1)?.[0] ?? 'ok'
  return Array.from({ length: ITEMS }, (_, n) => ({ n, mood: mood() }))
}

function sizes({ random }: Way): { chunksize: number; window: number } {
  const chunksize = pick(random, [1, 5, 20, 100])
  return { chunksize, window: chunksize * pick(random, [4, 16]) }
}

function check(outcome: Outcome<Load, number>, { n, mood }: Load): void {
  const isRight =
    outcome.status === 'fulfilled'
      ? (mood === 'ok' || mood === 'slow') && outcome.value === 2 * n
      : outcome.reason instanceof (mood === 'abort' ? WorkerCrashError : RangeError) && mood !== 'ok' && mood !== 'slow'
  if (!isRight) throw new Error(`Item ${n} (${mood}) has the wrong outcome`, { cause: outcome })
}

async function whole(way: Way, isOrdered: boolean): Promise<void> {
  const items = loads(way)
  const { imap, imapUnordered } = way.cluster
  const seen = new Set<number>()
  for await (const outcome of (isOrdered ? imap : imapUnordered)(soaked, items, { ...sizes(way), errors: 'settle' })) {
    const { index } = outcome
    if (seen.has(index)) throw new Error(`Item ${index} has two outcomes`)
    if (isOrdered && index !== seen.size) throw new Error(`Item ${index} came in the place of item ${seen.size}`)
    seen.add(index)
    check(outcome, items[index] ?? { n: -1, mood: 'ok' })
    way.came()
  }
  if (seen.size !== items.length) throw new Error(`${items.length} items have ${seen.size} outcomes`)
}

/** The consumer leaves at any time, by `break` or by an abort. */
async function left(way: Way, isAborted: boolean): Promise<void> {
  const items = loads(way)
  const controller = new AbortController()
  const options = { ...sizes(way), errors: 'settle', signal: controller.signal } as const
  const last = Math.floor(way.random() * ITEMS)
  let next = 0
  try {
    for await (const outcome of way.cluster.imap(soaked, items, options)) {
      if (outcome.index !== next) throw new Error(`Item ${outcome.index} came in the place of item ${next}`)
      check(outcome, items[next++] ?? { n: -1, mood: 'ok' })
      way.came()
      if (next <= last) continue
      if (!isAborted) return
      controller.abort()
    }
  } catch (error) {
    if (error !== controller.signal.reason) throw error
  }
}

async function fold(way: Way): Promise<void> {
  const items = Array.from({ length: ITEMS }, (_, n): Load => ({ n, mood: 'ok' }))
  const merge = (one: number, other: number): number => one + other
  const sum = await way.cluster.reduce(total, items, { ...sizes(way), initial: 0, merge })
  if (sum !== (ITEMS * (ITEMS - 1)) / 2) throw new Error(`The sum is ${sum}`)
  way.came()
}

export const RUNS: readonly Run[] = [
  (way) => whole(way, true),
  (way) => whole(way, true),
  (way) => whole(way, false),
  (way) => left(way, false),
  (way) => left(way, true),
  fold,
]
