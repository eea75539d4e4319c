/** Objects that are made for one call each. The number that a thread keeps does not grow with the number of calls. */
import { Pool } from 'millrace'
import {
  Barrier,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Pipe,
  Process,
  Queue,
  RLock,
  Semaphore,
  Value,
} from 'millrace/multiprocessing'
import { countKnown } from '#dist/shared/registry.js'
import { given } from '../fixtures/given.js'
import { collected } from '../support/collect.js'
import { times } from '../support/volume.js'

const KINDS: Record<string, () => unknown> = {
  Lock: () => new Lock(),
  RLock: () => new RLock(),
  Semaphore: () => new Semaphore(),
  Condition: () => new Condition(),
  Event: () => new Event(),
  Barrier: () => new Barrier(1),
  Queue: () => new Queue(),
  JoinableQueue: () => new JoinableQueue(),
  'Value with a lock': () => new Value('int32'),
  'Value without a lock': () => new Value('int32', 0, { lock: false }),
}

const CALLS = times(500, 2_000)
const PIPES = times(100, 300)
/** A chunk that ran last, and its parts. */
const MOST = 32

const pool = new Pool({ workers: 1, name: 'shared objects' })
afterAll(() => pool.terminate())

/** The number of objects that this thread and the worker have more than before. */
async function growth(run: () => Promise<unknown>): Promise<readonly [here: boolean, there: boolean]> {
  const there = await pool.apply(given.collect)
  await collected(() => false, 3)
  const here = countKnown()
  await run()
  const thereNow = await pool.apply(given.collect)
  return [await collected(() => countKnown() - here <= MOST), thereNow - there <= MOST]
}

it.each(Object.entries(KINDS))(`${CALLS} of a kind, sent and dropped: %s`, async (_, make) => {
  function* items(): Generator<unknown, void> {
    for (let n = 0; n < CALLS; n++) yield make()
  }
  expect(await growth(() => pool.map(given.use, items(), { chunksize: 10 }))).toEqual([true, true])
})

it(`${PIPES} pipes, whose ends are closed on both threads`, async () => {
  const call = async (): Promise<void> => {
    const [here, there] = Pipe<number>()
    const answer = pool.apply(given.answer, [there])
    await here.send(1)
    expect(await here.recv()).toBe(2)
    here.close()
    await answer
  }
  const run = async (): Promise<void> => {
    for (let n = 0; n < PIPES; n++) await call()
  }
  // A thread keeps some of the ends that the other side has closed, until there are more.
  await growth(run)
  expect(await growth(run)).toEqual([true, true])
})

it('objects that a process was given, once it has ended', async () => {
  const before = countKnown()
  const ended: Process<[unknown]>[] = []
  const run = async (): Promise<void> => {
    const locks = Array.from({ length: CALLS }, () => new Lock())
    const process = new Process({ target: given.use, args: [locks] as [unknown] })
    ended.push(process)
    process.start()
    await process.join()
  }
  await run()
  expect(await collected(() => countKnown() - before <= MOST)).toBe(true)
  expect(ended.map(({ exitCode }) => exitCode)).toEqual([0])
})
