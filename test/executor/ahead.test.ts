/** Chunks that wait in a thread behind the one that runs: how many there are, and what becomes of them when it takes long. */
import { count, raise, reaches, row } from '../fixtures/contract-b-board.js'
import { fault, HOLD, RUNS, type Fault } from '../fixtures/contract-b-faults.js'
import { double } from '../fixtures/contract-b-tasks.js'
import { boardPool, collect, numbers, until } from '../fixtures/contract-b-ways.js'

const pool = boardPool({ workers: 2 })
const single = boardPool({ workers: 1 })
afterAll(async () => {
  await Promise.all([pool.terminate(), single.terminate()])
})

describe('behind the chunk that runs', () => {
  it('several wait in its thread, if they are expected to be short', async () => {
    let most = 0
    // On a busy machine the last one may have taken so long that they are not.
    for (let attempt = 0; attempt < 20 && most < 2; attempt++) {
      const test = row()
      const items = numbers(60).map((n): Fault => ({ row: test, n, how: n === 20 ? 'hold' : undefined }))
      const stream = single.imap(fault, items, { chunksize: 1, window: 60 })
      const results = collect(stream)
      await reaches(test + RUNS, 21)
      await until(() => single.stats().waiting === 1)
      // 21 have begun, one is in the queue.
      most = stream.stats().chunks - 22
      raise(test + HOLD)
      expect(await results).toEqual(numbers(60))
    }
    expect(most).toBeGreaterThanOrEqual(2)
    expect(most).toBeLessThan(16)
  })

  it('none waits for an endless one while another thread is busy with the same stream', async () => {
    const test = row()
    function* endless(): Generator<Fault> {
      for (let n = 0; ; n++) yield { row: test, n, how: n === 40 ? 'hold' : undefined }
    }
    const missing = new Set(numbers(100).filter((n) => n !== 40))
    for await (const n of pool.imapUnordered(fault, endless(), { chunksize: 1, window: 64 })) {
      expect(n).not.toBe(40)
      missing.delete(n)
      if (missing.size === 0) break
    }
    expect(count(test + RUNS)).toBeGreaterThanOrEqual(100)
    raise(test + HOLD)
  })

  it('those that are taken back while the thread gets to them have their results once, in order', async () => {
    // While this thread is held up, the one that runs seems to take long, though others behind it have begun.
    const items = numbers(3_000)
    const results: number[] = []
    for await (const n of pool.imap(double, items, { chunksize: 1, window: 64 })) {
      results.push(n)
      if (n % 20 === 0) holdUp(2 + (n % 60) / 100)
    }
    expect(results).toEqual(items.map((n) => 2 * n))
  })
})

function holdUp(milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}
