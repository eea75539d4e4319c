/** What the tests of faults share: running a verb over items that say what goes wrong with them, and what must come of it. */
import type { Outcome, Pool, StreamStats } from 'millrace'
import { until } from '../fixtures/contract-b-ways.js'
import { deedOf, gather, keepEven, map, numberOf, twice, type Deed } from '../fixtures/faults.js'

export type Verb = 'imap' | 'filter' | 'flatMap' | 'reduce'

/** Any pool, whatever its initializer is. */
export type AnyPool = Pick<Pool, 'imap' | 'imapUnordered' | 'filter' | 'filterUnordered' | 'flatMap'> &
  Pick<Pool, 'flatMapUnordered' | 'reduce' | 'stats'>

export interface Run {
  readonly verb: Verb
  readonly ordered: boolean
  readonly chunksize?: number | 'auto' | undefined
  readonly window?: number | undefined
  readonly concurrency?: number | undefined
  readonly timeout?: number | undefined
}

export function titleOf({ verb, ordered, concurrency }: Run): string {
  return `${verb}, ${ordered ? 'ordered' : 'unordered'}, concurrency ${concurrency}`
}

const GOOD: readonly Deed[] = ['go', 'wait', 'work', 'exitOnce']

export function isGood(item: string): boolean {
  return GOOD.includes(deedOf(item))
}

/** What one item gives, by a verb that leaves failed items out. */
export function valuesOf(verb: Verb, item: string): unknown[] {
  const n = numberOf(item)
  if (verb === 'filter') return deedOf(item) === 'unclonable' || (isGood(item) && n % 2 === 0) ? [item] : []
  if (!isGood(item)) return []
  return verb === 'flatMap' ? Array<unknown>(n % 3).fill(n) : [n]
}

/** The name of the error that an item fails with. */
export function errorOf(item: string): string {
  const what = deedOf(item)
  if (what === 'throw' || what === 'reject') return 'RangeError'
  if (what === 'unclonable') return 'NotSerializableError'
  return what === 'spin' || what === 'hang' ? 'TaskTimeoutError' : 'WorkerCrashError'
}

/** The verb's stream, or what a fold comes to as a stream of its one result. */
export function open(
  pool: AnyPool,
  { verb, ordered, ...given }: Run,
  items: Iterable<string> | AsyncIterable<string>,
  errors: 'settle' | 'skip' | 'throw',
  signal?: AbortSignal,
): AsyncIterable<unknown> & { stats?(): StreamStats } {
  const options = { ...definedOf(given), ...(signal && { signal }) }
  const kept = errors === 'settle' ? 'skip' : errors
  switch (verb) {
    case 'imap':
      return (ordered ? pool.imap : pool.imapUnordered)(map, items, { ...options, errors })
    case 'filter':
      return (ordered ? pool.filter : pool.filterUnordered)(keepEven, items, { ...options, errors: kept })
    case 'flatMap':
      return (ordered ? pool.flatMap : pool.flatMapUnordered)(twice, items, { ...options, errors: kept })
    case 'reduce': {
      const { concurrency: _, ...rest } = options
      const merge = (into: unknown[], partial: unknown[]): unknown[] => into.concat(partial)
      return folded(() => pool.reduce(gather, items, { ...rest, ordered, errors: kept, initial: [], merge }))
    }
  }
}

async function* folded(fold: () => Promise<unknown[]>): AsyncGenerator {
  yield* await fold()
}

function definedOf<T extends object>(options: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}

export async function drain<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of source) all.push(value)
  return all
}

/** Runs all items and checks that nothing was lost, doubled or, in order, displaced: each failed item has its own error. */
export async function expectWhole(pool: AnyPool, run: Run, items: readonly string[]): Promise<void> {
  const inOrder = <T>(values: T[], key: (value: T) => number): T[] =>
    run.ordered ? values : values.toSorted((a, b) => key(a) - key(b))
  const given = await drain(open(pool, run, items, 'settle'))
  if (run.verb !== 'imap') {
    expect(inOrder(given, (value) => parseInt(String(value)))).toEqual(
      items.flatMap((item) => valuesOf(run.verb, item)),
    )
    return
  }
  const outcomes = inOrder(given as Outcome<string, unknown>[], ({ index }) => index)
  expect(outcomes.map((outcome) => toldOf(outcome))).toEqual(
    items.map((item, index) => {
      if (isGood(item)) return { index, value: numberOf(item) }
      return { index, item, error: errorOf(item) }
    }),
  )
}

function toldOf(outcome: Outcome<string, unknown>): object {
  const { index } = outcome
  if (outcome.status === 'fulfilled') return { index, value: outcome.value }
  return { index, item: outcome.item, error: (outcome.reason as Error).name }
}

/** Whether no stream is open and no chunk is anywhere. */
export function isIdle(pool: Pick<Pool, 'stats'>): boolean {
  const { busy, waiting, streams } = pool.stats()
  return busy + waiting + streams === 0
}

/** What keeps or may keep the process alive, apart from its pipes and terminals. */
export function resources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((what) => !/^(Pipe|TTY)/.test(what))
    .sort()
}

/** Waits until nothing is active that was not before: what was ended last takes its time, and the test runner has timers. */
export async function expectNothingLeft(before: readonly string[]): Promise<void> {
  const left = (): string[] => {
    const gone = [...before]
    return resources().filter((what) => {
      const at = gone.indexOf(what)
      if (at !== -1) gone.splice(at, 1)
      return at === -1
    })
  }
  await until(() => left().length === 0).catch(() => undefined)
  expect(left()).toEqual([])
}

/** How many workers are started while `run` runs. */
export async function startedDuring(run: () => Promise<unknown>): Promise<number> {
  let started = 0
  const note = (): void => {
    started++
  }
  process.on('worker', note)
  try {
    await run()
  } finally {
    process.off('worker', note)
  }
  return started
}
