/** Worker processes that end: what that costs, and how soon it is known. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  imap,
  NotSerializableError,
  Pool,
  TaskLoadError,
  TaskTimeoutError,
  WorkerCrashError,
  type Diagnostics,
  type Outcome,
} from 'millrace'
import { collect, numbers, until } from '../fixtures/contract-b-ways.js'
import {
  add,
  closePipeAfterResult,
  endAfterResult,
  ENDS,
  facts,
  hang,
  hangAfter,
  note,
  obey,
  orders,
  spin,
  type End,
  type Order,
} from '../fixtures/process-tasks.js'
import { expectNothingLeft, isIdle, resources } from '../support/faults.js'
import { gone } from '../support/process-state.js'
import { allPairs, isFull, isFullOnProcesses } from '../support/volume.js'

const pool = new Pool({
  workers: 2,
  isolation: 'process',
  name: 'mill',
  resourceLimits: { maxOldGenerationSizeMb: 64 },
})
afterAll(async () => {
  await pool.terminate()
})

/** A death is known after 5 to 20 ms; on a machine that is very busy, later. */
const DEATH_KNOWN_MS = 1_000

/** The exit code and the signal of each end. */
const HOW: Record<End, { readonly exitCode: number; readonly signal?: string }> = {
  abort: { exitCode: -6, signal: 'SIGABRT' },
  SIGSEGV: { exitCode: -11, signal: 'SIGSEGV' },
  SIGKILL: { exitCode: -9, signal: 'SIGKILL' },
  exit: { exitCode: 3 },
  heap: { exitCode: -6, signal: 'SIGABRT' },
  uncaught: { exitCode: 1 },
  junk: { exitCode: -9, signal: 'SIGKILL' },
}

async function outcomesOf(
  items: readonly Order[],
  options: { chunksize: number | 'auto'; concurrency?: number; ordered?: boolean },
): Promise<Outcome<Order, number>[]> {
  const { ordered = true, ...rest } = options
  const verb = ordered ? pool.imap : pool.imapUnordered
  const outcomes = await collect(verb(obey, items, { ...rest, errors: 'settle', window: items.length }))
  return outcomes.sort((a, b) => a.index - b.index)
}

function expectCosts(outcomes: readonly Outcome<Order, number>[], ends: Readonly<Record<number, End>>): void {
  for (const [index, outcome] of outcomes.entries()) {
    const end = ends[index]
    if (end === undefined) {
      expect(outcome).toEqual({ status: 'fulfilled', index, value: index })
      continue
    }
    const { reason } = outcome as { reason: WorkerCrashError }
    expect(reason).toBeInstanceOf(WorkerCrashError)
    const { exitCode, signal } = HOW[end]
    expect({ index: outcome.index, exitCode: reason.exitCode, signal: reason.signal }).toEqual({
      index,
      exitCode,
      signal,
    })
    const how = signal === undefined ? `ended with exit code ${exitCode}` : `was ended by ${signal}`
    expect(reason.message).toMatch(
      new RegExp(`^Worker \\d of pool 'mill' ${how} while it ran task 'obey' on item ${index}`),
    )
  }
}

describe('the end of a worker process costs the item that ran', () => {
  const all = ENDS.flatMap((end) => ([1, 7, 1_000] as const).map((chunksize) => ({ end, chunksize })))
  // A chunk of more than 32 items costs two deaths.
  const large: readonly End[] = ['abort', 'SIGKILL']
  for (const { end, chunksize } of isFullOnProcesses
    ? all
    : all.filter((one) => one.chunksize === (large.includes(one.end) ? 1_000 : 7))) {
    it(`${end}, of 1,000 items, at chunksize ${chunksize}`, async () => {
      const ends = { 777: end }
      const outcomes = await outcomesOf(orders(1_000, ends), { chunksize })
      expect(outcomes).toHaveLength(1_000)
      expectCosts(outcomes, ends)
    })
  }

  const ways = [true, false].flatMap((ordered) =>
    [1, 8].flatMap((concurrency) =>
      ([7, 100, 'auto'] as const).map((chunksize) => ({ ordered, concurrency, chunksize })),
    ),
  )
  const pairs = allPairs(ways, ['ordered', 'concurrency', 'chunksize'])
  for (const way of isFullOnProcesses ? ways : isFull ? pairs : pairs.slice(0, 2)) {
    const { ordered, concurrency, chunksize } = way
    it(`two in one chunk: ${ordered ? 'ordered' : 'unordered'}, concurrency ${concurrency}, chunksize ${chunksize}`, async () => {
      const ends = { 50: 'SIGKILL', 52: 'exit' } as const
      expectCosts(await outcomesOf(orders(100, ends), way), ends)
    })
  }

  it('in a fold: the others are folded', async () => {
    const merge = (a: number, b: number): number => a + b
    for (const chunksize of [7, 100]) {
      const options = { initial: 0, merge, chunksize, window: 100, errors: 'skip' } as const
      expect(await pool.reduce(add, orders(100, { 13: 'SIGKILL' }), options)).toBe(4_950 - 13)
    }
  })

  it('that it had ended, if the result has not arrived: it is tried three times', async () => {
    await using own = new Pool({ workers: 1, isolation: 'process', name: 'mill' })
    const outcomes = await collect(own.imap(endAfterResult, [7], { errors: 'settle' }))
    expect(outcomes).toMatchObject([{ status: 'rejected', reason: { exitCode: 4 } }])
    expect((outcomes[0] as { reason: Error }).reason.message).toBe(
      "Worker 1 of pool 'mill' ended with exit code 4 while it sent the result of item 0 of task 'endAfterResult'",
    )
    expect(await own.apply(closePipeAfterResult, [8])).toBe(8)
    const before = own.stats().crashes
    await until(() => own.stats().crashes > before)
    expect(await own.apply(closePipeAfterResult, [9])).toBe(9)
  })

  it('with its error as the cause, if nobody has caught one', async () => {
    const [outcome] = await outcomesOf(orders(1, { 0: 'uncaught' }), { chunksize: 1 })
    const { reason } = outcome as { reason: WorkerCrashError }
    expect(reason.message).toMatch(/: nobody catches this$/)
    expect(reason.cause).toBeInstanceOf(RangeError)
    expect(reason.cause).toMatchObject({
      message: 'nobody catches this',
      stack: expect.stringContaining('process-tasks') as string,
    })
  })

  it('once for an item that is tried again', async () => {
    const outcomes = await collect(
      pool.imap(obey, orders(20, { 5: 'exit' }), { errors: 'settle', retries: { attempts: 2, minDelay: 0 } }),
    )
    expect(outcomes[5]).toMatchObject({ status: 'rejected', attempts: 2, reason: { exitCode: 3 } })
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(19)
  })

  const many = isFullOnProcesses ? 100 : 3
  it(`${many} in a row: nothing is left of them`, async () => {
    const before = resources()
    const pids: number[] = []
    // The other pool may start a process meanwhile, too.
    const note = (event: unknown): void => {
      const started = event as Diagnostics['millrace:worker:start']
      if (started.pool === 'brief') pids.push(started.pid)
    }
    subscribe('millrace:worker:start', note)
    const own = new Pool({ workers: 2, isolation: 'process', name: 'brief' })
    const ends = Object.fromEntries(numbers(many).map((n) => [2 * n, 'SIGKILL' as const]))
    const outcomes = await collect(own.imap(obey, orders(2 * many + 20, ends), { chunksize: 7, errors: 'settle' }))
    unsubscribe('millrace:worker:start', note)
    expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(numbers(2 * many + 20).map((n) => n in ends))
    expect(own.stats().crashes).toBe(many)
    await own.close()
    expect(pids.length).toBeGreaterThanOrEqual(many)
    await gone(pids)
    await expectNothingLeft(before)
  })
})

it('is by kill -9 from outside, as by the OOM killer of the system', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
  const path = join(folder, 'begun')
  await using own = new Pool({ workers: 1, isolation: 'process' })
  const { pid } = await own.apply(facts)
  const running = collect(own.imap(hangAfter, [path], { errors: 'settle' }))
  await until(() => existsSync(path))
  const killed = performance.now()
  process.kill(pid, 'SIGKILL')
  expect(await running).toMatchObject([{ status: 'rejected', reason: { signal: 'SIGKILL', exitCode: -9 } }])
  expect(performance.now() - killed).toBeLessThan(DEATH_KNOWN_MS)
  rmSync(folder, { recursive: true })
})

describe('timeout', () => {
  it('ends exactly the items that take longer', async () => {
    await using own = new Pool({ workers: 2, isolation: 'process' })
    for (const [task, concurrency] of [
      [spin, 1],
      [hang, 1],
      [hang, 4],
    ] as const) {
      const outcomes = await collect(own.imap(task, [1], { timeout: 300, errors: 'settle', concurrency }))
      expect(outcomes).toMatchObject([{ status: 'rejected', reason: { name: 'TaskTimeoutError' } }])
      expect((outcomes[0] as { reason: Error }).reason).toBeInstanceOf(TaskTimeoutError)
    }
    expect(own.stats()).toMatchObject({ timeouts: 3, crashes: 0 })
    const whole = await collect(own.imap(obey, orders(500, {}), { timeout: 5_000, chunksize: 100 }))
    expect(whole).toEqual(numbers(500))
  })

  it('runs no item again whose result has come while this thread was blocked', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
    const path = join(folder, 'runs')
    const timeout = 500
    await using own = new Pool({ workers: 1, isolation: 'process' })
    const items = numbers(4).map((n) => [path, n] as const)
    const running = collect(own.imap(note, items, { timeout, chunksize: 1, window: 4, errors: 'settle' }))
    const seen = (): string => (existsSync(path) ? readFileSync(path, 'utf8') : '')
    await until(() => seen() === '01')
    // Behind it, timers are due before anything is read.
    await new Promise((resolve) => setImmediate(resolve))
    writeFileSync(`${path}.go`, '')
    // The item 2 was sent together with the item 1: it runs for too long while this loop does.
    for (const begun = performance.now(); performance.now() - begun < 1.5 * timeout;);
    expect((await running).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(seen()).toBe('0123')
    rmSync(folder, { recursive: true })
  })
})

describe('a module that does not load', () => {
  it('fails each item with one clear error', async () => {
    await using own = new Pool({ workers: 1, isolation: 'process' })
    const missing = { module: new URL('file:///there/is/none.js'), export: 'none' }
    const outcomes = await collect(own.imap(missing as never, [1, 2, 3], { errors: 'settle' }))
    expect(outcomes).toHaveLength(3)
    for (const outcome of outcomes as { reason: Error }[]) expect(outcome.reason).toBeInstanceOf(TaskLoadError)
    expect(own.stats().crashes).toBe(0)
    await until(() => isIdle(own))
  })
})

it('is not needed for items that only cannot be sent', async () => {
  await using own = new Pool({ workers: 1, isolation: 'process' })
  const outcomes = await collect(own.imap(obey, [[0], [() => 1] as never, [2]] as Order[], { errors: 'settle' }))
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect((outcomes[1] as { reason: Error }).reason).toBeInstanceOf(NotSerializableError)
  expect(own.stats().crashes).toBe(0)
  expect(await collect(imap((n: number) => n, [1], { workers: 0 }))).toEqual([1])
})
