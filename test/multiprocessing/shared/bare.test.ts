/** Shared objects reach workers whose tasks have not loaded their classes. */
import { Pool } from 'millrace'
import { Lock, Process, Value } from 'millrace/multiprocessing'
import { bareBegin, bareCount, bareFold, bareGiven, bareRun } from '../../fixtures/bare.js'
import { drain } from '../../support/faults.js'

describe('a module that only imports millrace/task gets shared objects', () => {
  for (const chunksize of [1, 7, 100] as const) {
    it(`in items, and can return it (chunksize: ${chunksize})`, async () => {
      await using pool = new Pool({ workers: 2 })
      const item = { counter: new Value('int32', 0), lock: new Lock() }
      const locks = await drain(pool.imap(bareCount, new Array<typeof item>(100).fill(item), { chunksize }))
      expect(item.counter.value).toBe(100)
      expect(locks).toHaveLength(100)
      expect(new Set(locks)).toEqual(new Set([item.lock]))
    })
  }

  it('in initargs', async () => {
    const counter = new Value('int32', 0)
    await using pool = new Pool({ workers: 2, initializer: bareBegin, initargs: [counter] as const })
    const seen = await drain(
      pool.imapUnordered(
        bareGiven,
        Array.from({ length: 50 }, (_, n) => n),
      ),
    )
    expect(seen.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => n))
    expect(counter.value).toBe(50)
  })

  it('where a fold begins', async () => {
    const counter = new Value('int32', 0)
    await using pool = new Pool({ workers: 2 })
    const merge = (into: { readonly counter: Value<'int32'> }): typeof into => into
    const folded = await pool.reduce(bareFold, [1, 2, 3, 4], { initial: { counter }, merge, chunksize: 1 })
    expect(folded.counter).toBe(counter)
    expect(counter.value).toBe(10)
  })

  it('as an argument of a process', async () => {
    const counter = new Value('int32', 0)
    const one = new Process({ target: bareRun, args: [[counter, counter]] })
    one.start()
    await one.join()
    expect([one.exitCode, counter.value]).toEqual([0, 20])
  })
})
