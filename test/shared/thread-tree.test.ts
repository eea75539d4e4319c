/**
 * The tree of threads: which thread has started which, and how long that is known. Which objects are told when a thread
 * ends.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Lock } from 'millrace/multiprocessing'
import { countThreads, subtreeOf } from '#dist/shared/thread-tree.js'
import { remember } from '#dist/shared/registry.js'
import { newCells, READY, start } from '../fixtures/sync-raw.js'
import { reached } from '../support/reached.js'
import { isKnownTo } from '../support/internals.js'

it('the table of threads keeps none that has ended', async () => {
  const lock = new Lock()
  // Idle threads of earlier tests may end meanwhile.
  const before = countThreads()
  for (let n = 0; n < 10; n++) await once(new Worker('', { eval: true }), 'exit')
  expect(countThreads()).toBeLessThanOrEqual(before)
  const cells = newCells()
  const worker = start(cells, { do: 'hold in a child', lock })
  try {
    await reached(cells, READY, 1)
    expect(subtreeOf(worker.threadId).size).toBe(2)
  } finally {
    await worker.terminate()
  }
  expect(subtreeOf(worker.threadId).size).toBe(1)
  expect(countThreads()).toBeLessThanOrEqual(before)
})

it('an object gets the end of a thread only if that thread may know it', async () => {
  const told: string[] = []
  const object = (name: string, isKnown: boolean): object => ({
    isKnownTo: () => isKnown,
    releaseThreads: () => told.push(name),
  })
  const objects = [object('known', true), object('unknown', false), object('known, too', true)]
  for (const [at, each] of objects.entries()) remember(`test.${at}`, each)
  await once(new Worker('', { eval: true }), 'exit')
  // Later ones come first, because the others may be parts of them.
  expect(told).toEqual(['known, too', 'known'])
})

it('a lock is known to the threads that have an instance of it', async () => {
  const lock = new Lock()
  const cells = newCells()
  const worker = start(cells, { do: 'hold', lock, then: 'wait' })
  const { threadId } = worker
  await reached(cells, READY, 1)
  expect(isKnownTo(lock, new Set([threadId]))).toBe(true)
  // A thread can be mistaken for some others, but not for all.
  const others = Array.from({ length: 24 }, (_, n) => threadId + 1 + n)
  expect(others.filter((other) => !isKnownTo(lock, new Set([other]))).length).toBeGreaterThanOrEqual(22)
  await worker.terminate()
})
