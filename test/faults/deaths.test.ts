/**
 * Rows of the table of faults: workers that die, or are ended because an item takes too long, in every verb, order and
 * chunk.
 */
import { Pool, type PoolOptions } from 'millrace'
import { raise, reaches, row } from '../fixtures/contract-b-board.js'
import { boardPool, numbers, until } from '../fixtures/contract-b-ways.js'
import { deed, DEADLY, hold, type Deed } from '../fixtures/faults.js'
import {
  drain,
  expectNothingLeft,
  expectWhole,
  isIdle,
  resources,
  startedDuring,
  titleOf,
  type Run,
  type Verb,
} from '../support/faults.js'
import { isFullOnProcesses, eachValue, times } from '../support/volume.js'

/** Milliseconds. Good items take almost no time, but the machine may be busy. */
const TIMEOUT = 400

type Isolation = NonNullable<PoolOptions['isolation']>

const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8 }
const pools: Record<Isolation, Pool> = {
  thread: new Pool({ workers: 2, resourceLimits }),
  process: new Pool({ workers: 2, resourceLimits, isolation: 'process' }),
}
afterAll(async () => {
  await Promise.all(Object.values(pools).map((pool) => pool.terminate()))
})

function items(length: number, what: Deed, culprits: readonly number[]): string[] {
  return numbers(length).map((n) => deed(n, culprits.includes(n) ? what : 'go'))
}

/**
 * Of 100 items, these fail for every chunksize: the first, the last, two of one chunk, and two of consecutive chunks.
 */
const PLACES = [0, 15, 16, 28, 99]
const CHUNKSIZES = [1, 7, 64, 'auto'] as const
const TITLES: Record<string, string> = {
  uncaught: 'an uncaught exception',
  unhandled: 'an unhandled rejection',
  exit: 'process.exit(n)',
  fill: 'the heap limit',
  spin: 'an endless loop, with timeout',
  hang: 'a promise that never settles, with timeout',
}

async function check(
  run: Run,
  what: Deed,
  culprits: readonly number[],
  length = 100,
  isolation: Isolation = 'thread',
): Promise<void> {
  const pool = pools[isolation]
  const before = pool.stats()
  const timed = what === 'spin' || what === 'hang'
  const { timeouts, crashes } = before
  await expectWhole(pool, timed ? { ...run, timeout: TIMEOUT } : run, items(length, what, culprits))
  // The last message of a chunk may come after the last of its results.
  await until(() => isIdle(pool))
  const after = pool.stats()
  // If several items of one chunk run at once, more than one death may be needed to find the poison item.
  const deaths = after.crashes - crashes + after.timeouts - timeouts
  expect(deaths).toBeGreaterThanOrEqual(culprits.length)
  const isOneByOne = run.concurrency === 1 || run.concurrency === undefined
  // A process notes the items of a large chunk only after it has ended a process before.
  if (isolation === 'process') expect(deaths).toBeLessThanOrEqual(isOneByOne ? 2 * culprits.length : Infinity)
  else if (isOneByOne) expect(deaths).toBe(culprits.length)
}

describe('a worker that dies costs exactly the items that killed it', () => {
  const deaths = DEADLY.flatMap((what) =>
    [true, false].flatMap((ordered) =>
      [1, 4].flatMap((concurrency) =>
        CHUNKSIZES.filter((size) => size === 7 || size === 'auto' || what === 'exit' || what === 'spin').map(
          (chunksize) => ({ what, ordered, concurrency, chunksize }),
        ),
      ),
    ),
  )
  for (const { what, ...given } of eachValue(deaths, 'what', 'ordered', 'concurrency', 'chunksize')) {
    const run: Run = { verb: 'imap', ...given }
    const slow = what === 'fill' || what === 'spin' || what === 'hang'
    it(`${TITLES[what]}: ${titleOf(run)}, chunksize ${given.chunksize}`, async () => {
      await check(run, what, slow ? PLACES.slice(1, 3) : PLACES)
    })
  }

  // Each death costs the start of a process, so few of them are in `npm test`.
  const onProcesses = deaths.filter(
    ({ what, ordered, concurrency, chunksize }) =>
      isFullOnProcesses || (what === 'exit' && chunksize === 64 && ordered && concurrency === 1),
  )
  for (const { what, ...given } of onProcesses) {
    const run: Run = { verb: 'imap', ...given }
    it(`on processes, ${TITLES[what]}: ${titleOf(run)}, chunksize ${given.chunksize}`, async () => {
      await check(run, what, PLACES.slice(1, 3), 100, 'process')
    })
  }

  const others = (['filter', 'flatMap', 'reduce'] as const satisfies Verb[]).flatMap((verb) =>
    [true, false].flatMap((ordered) => ([7, 64] as const).map((chunksize) => ({ verb, ordered, chunksize }))),
  )
  for (const run of eachValue(others, 'verb', 'ordered', 'chunksize')) {
    const { verb, ordered, chunksize } = run
    it(`process.exit(n), an uncaught exception and timeout: ${verb}, ${ordered ? 'ordered' : 'unordered'}, chunksize ${chunksize}`, async () => {
      await check(run, 'exit', PLACES)
      await check({ ...run, concurrency: verb === 'reduce' ? undefined : 4 }, 'uncaught', [15, 16])
      await check(run, 'spin', [63])
    })
  }

  for (const ordered of [true, false]) {
    it(`all items of a chunk, one after the other (${ordered ? 'ordered' : 'unordered'})`, async () => {
      for (const concurrency of [1, 4]) {
        await check({ verb: 'imap', ordered, chunksize: 7, concurrency }, 'exit', numbers(7))
      }
    })

    const count = times(6, 100)
    it(`${count} in a row: each costs its item, and the pool recovers (${ordered ? 'ordered' : 'unordered'})`, async () => {
      const own = boardPool({ workers: 2 })
      const run: Run = { verb: 'imap', ordered, chunksize: 7 }
      const before = resources()
      const started = await startedDuring(() => expectWhole(own, run, items(count + 50, 'exit', numbers(count))))
      expect(own.stats()).toMatchObject({ crashes: count, timeouts: 0 })
      // Only the needed workers are started: the first ones, and one for each that died.
      expect(started).toBeLessThanOrEqual(count + 2)
      // Both workers are there again: each of two items only ends after both have begun.
      const [begun, gate] = [row(), row()]
      const met = drain(own.imap(hold, [[begun, gate] as const, [begun, gate] as const], { chunksize: 1 }))
      await reaches(begun, 2)
      raise(gate)
      expect(await met).toEqual([gate, gate])
      expect(own.stats()).toMatchObject({ starting: 0, ready: 2, crashes: count })
      await expectWhole(own, run, items(1_000, 'go', []))
      await own.close()
      expect(own.stats()).toMatchObject({ starting: 0, ready: 0, busy: 0, waiting: 0, streams: 0 })
      await expectNothingLeft(before)
    })
  }
})
