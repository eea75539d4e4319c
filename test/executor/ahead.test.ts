/** Chunks that wait in a thread behind the one that runs: their number, and their way out when that one takes long. */
import { setTimeout as pause } from 'node:timers/promises'
import { gated } from '../fixtures/contract-a-gated.js'
import { count, raise, reaches, row } from '../fixtures/contract-b-board.js'
import { fault, HOLD, RUNS, type Fault } from '../fixtures/contract-b-faults.js'
import { double } from '../fixtures/contract-b-tasks.js'
import { boardPool, collect, numbers, until } from '../fixtures/contract-b-ways.js'
import { Gates } from '../support/gates.js'
import { inTime } from '../support/matrix.js'

const pool = boardPool({ workers: 2 })
const single = boardPool({ workers: 1 })
afterAll(async () => {
  await Promise.all([pool.terminate(), single.terminate()])
})

describe('behind the chunk that runs', () => {
  it('several wait in its thread, if they are expected to be short', async () => {
    let most = 0
    // On a busy machine, the last one can have taken too long for that.
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

  it.each([
    [0, 0],
    [3, 0],
    [3, 3],
    [51, 0],
    [51, 3],
  ])(
    'none waits for a later one, whether they have been taken back or not (after %i ms, this thread held up for %i)',
    async (ms, busy) => {
      for (const verb of [pool.imap, pool.imapUnordered]) {
        const gates = new Gates(36)
        const held = numbers(36).slice(20)
        gates.hold(...held)
        const stream = verb(gated, gates.items, { chunksize: 1, window: 36 })
        try {
          // Quick items come first, so that several of the others are sent ahead.
          for (let n = 0; n < 20; n++) await inTime(stream.next())
          while (held.length > 0) {
            if (ms > 0) await pause(ms)
            // Sometimes the second one also runs, and is released before the first. Then its thread has room.
            const [first = 0, second = 0] = held
            const swaps = verb === pool.imapUnordered && first % 4 === 0 && gates.entries(second) > 0
            for (const n of [...held.splice(swaps ? 1 : 0, 1), ...held.splice(0, 1)]) {
              gates.release(n)
              expect(gates.index((await inTime(stream.next())).value)).toBe(n)
              // The running chunk seems to take long.
              if (busy > 0) holdUp(busy)
            }
          }
        } finally {
          gates.releaseAll()
          await stream.return()
        }
      }
    },
  )

  it('no more than one waits where the chunksize is automatic: it grows, however quick they are', async () => {
    for (let stream = 0; stream < 10; stream++) {
      const results = pool.imap(double, numbers(20_000))
      expect(await collect(results)).toHaveLength(20_000)
      expect(results.stats().chunks).toBeLessThan(2_000)
    }
  })

  it('those that are taken back while the thread gets to them have their results once, in order', async () => {
    // While this thread is busy, the running chunk seems to take long, although others behind it have begun.
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
