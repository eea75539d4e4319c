/** The common part of the tests of faults: runs a verb over items that name their faults, and checks the results. */
import type { Outcome, Pool, StreamStats } from 'millrace'
import { until } from '../fixtures/contract-b-ways.js'
import { deedOf, gather, keepEven, map, numberOf, twice, type Deed } from '../fixtures/faults.js'

export type Verb = 'imap' | 'filter' | 'flatMap' | 'reduce'

/** A pool with any initializer. */
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

/** The results of one item, by a verb that leaves failed items out. */
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

/** The stream of the verb, or for a fold a stream of its one result. */
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

/**
 * Runs all items, and checks that none was lost, doubled or, in order, displaced. Each failed item has its own error.
 */
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

/** Whether all streams are closed and all chunks are done. */
export function isIdle(pool: Pick<Pool, 'stats'>): boolean {
  const { busy, waiting, streams } = pool.stats()
  return busy + waiting + streams === 0
}

/** Everything that can keep the process alive, except its pipes and terminals. */
export function resources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((what) => !/^(Pipe|TTY)/.test(what))
    .sort()
}

/**
 * Waits until only the earlier resources are active: the last ended thread takes time, and the test runner has timers.
 */
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

/** The number of workers that are started while `run` runs. */
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
