/** Rows of the table of faults: workers that die, or are ended since an item takes too long, in every verb, order and chunk. */
import { Pool } from 'millrace'
import { deed, DEADLY, type Deed } from '../fixtures/faults.js'
import { numbers, until } from '../fixtures/contract-b-ways.js'
import { expectWhole, isIdle, titleOf, type Run, type Verb } from '../support/faults.js'

/** Milliseconds. Good items take next to nothing; the machine may be busy with other things. */
const TIMEOUT = 400

const pool = new Pool({ workers: 2, resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8 } })
afterAll(async () => {
  await pool.terminate()
})

/** 100 items: the first, the last, two of one chunk and two of consecutive ones fail, whatever the chunks are. */
function items(what: Deed, culprits: readonly number[], others: Deed = 'go'): string[] {
  return numbers(100).map((n) => deed(n, culprits.includes(n) ? what : others))
}

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

async function check(run: Run, what: Deed, culprits: readonly number[]): Promise<void> {
  const before = pool.stats()
  const timed = what === 'spin' || what === 'hang'
  const { timeouts, crashes } = before
  await expectWhole(pool, timed ? { ...run, timeout: TIMEOUT } : run, items(what, culprits))
  // The last message of a chunk may come after the last of its results.
  await until(() => isIdle(pool))
  const after = pool.stats()
  // Several of one chunk that run at once may take more than one death to tell apart.
  const deaths = after.crashes - crashes + after.timeouts - timeouts
  expect(deaths).toBeGreaterThanOrEqual(culprits.length)
  if (run.concurrency === 1 || run.concurrency === undefined) expect(deaths).toBe(culprits.length)
}

describe('a worker that dies costs exactly the items that killed it', () => {
  for (const what of DEADLY) {
    const slow = what === 'fill' || what === 'spin' || what === 'hang'
    for (const ordered of [true, false]) {
      for (const concurrency of [1, 4]) {
        const run: Run = { verb: 'imap', ordered, concurrency }
        const chunksizes = what === 'exit' || what === 'spin' ? CHUNKSIZES : ([7, 'auto'] as const)
        it(`${TITLES[what]}: ${titleOf(run)}, chunksize ${chunksizes.join(', ')}`, async () => {
          for (const chunksize of chunksizes)
            await check({ ...run, chunksize }, what, slow ? PLACES.slice(1, 3) : PLACES)
        })
      }
    }
  }

  for (const verb of ['filter', 'flatMap', 'reduce'] as const satisfies Verb[]) {
    for (const ordered of [true, false]) {
      it(`process.exit(n), an uncaught exception and timeout: ${verb}, ${ordered ? 'ordered' : 'unordered'}`, async () => {
        for (const chunksize of [7, 64] as const) {
          const run: Run = { verb, ordered, chunksize }
          await check(run, 'exit', PLACES)
          await check({ ...run, concurrency: verb === 'reduce' ? undefined : 4 }, 'uncaught', [15, 16])
          await check(run, 'spin', [63])
        }
      })
    }
  }

  for (const ordered of [true, false]) {
    it(`all items of a chunk, one after the other (${ordered ? 'ordered' : 'unordered'})`, async () => {
      for (const concurrency of [1, 4]) {
        await check({ verb: 'imap', ordered, chunksize: 7, concurrency }, 'exit', numbers(7))
      }
    })

    it(`50 in a row: each costs its item, and the pool recovers (${ordered ? 'ordered' : 'unordered'})`, async () => {
      await check({ verb: 'imap', ordered, chunksize: 7 }, 'exit', numbers(50))
      await check({ verb: 'imap', ordered, chunksize: 7 }, 'exit', [])
    })
  }
})
