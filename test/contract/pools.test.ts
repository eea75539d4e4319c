/** The contract of a stream, clauses 22 and 24: sharing a pool, and closing it. Clauses 23 and 25: see `test/programs.slow.test.ts`. */
import type { Worker } from 'node:worker_threads'
import { Pool, PoolClosedError, type Stream } from 'millrace'
import { count, raise, reaches, row } from '../fixtures/contract-b-board.js'
import { act, double, enlist, GATE, item, STARTED, type Entry } from '../fixtures/contract-b-tasks.js'
import { boardPool, CHUNKSIZES, collect, numbers, Probe, rejection, until } from '../fixtures/contract-b-ways.js'

const single = boardPool({ workers: 1 })
afterAll(() => single.terminate())

/** The error of a pool that is closed. */
function closed(): Error {
  return expect.objectContaining({ code: 'ERR_POOL_CLOSED', name: 'PoolClosedError' }) as Error
}

/** A log in shared memory: its first cell counts the entries, its last one is the gate that the first entry waits for. */
function newLog(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer((length + 2) * Int32Array.BYTES_PER_ELEMENT))
}

function entries(log: Int32Array): number[] {
  return [...log.subarray(1, 1 + (log[0] ?? 0))]
}

function verbOf(pool: Pool<[SharedArrayBuffer]>, ordered: boolean): Pool['imap'] {
  return ordered ? pool.imap : pool.imapUnordered
}

describe('clause 22: streams share the workers of a pool fairly', () => {
  for (const ordered of [true, false]) {
    for (const chunksize of [1, 7] as const) {
      it(`three streams take turns, chunk by chunk (${ordered ? 'ordered' : 'unordered'}, chunksize ${chunksize})`, async () => {
        const length = 10 * chunksize
        const log = newLog(3 * length)
        const verb = verbOf(single, ordered)
        const streams = numbers(3).map((id) =>
          verb(
            enlist,
            numbers(length).map((n): Entry => ({ log, id, hold: id === 0 && n === 0 })),
            { chunksize, window: length },
          ),
        )
        const results = streams.map((stream) => collect(stream))
        // When the first item runs, all three streams have had time to ask.
        await until(() => Atomics.load(log, 0) === 1 && single.stats().streams === 3)
        Atomics.store(log, log.length - 1, 1)
        Atomics.notify(log, log.length - 1)
        await Promise.all(results)

        const order = entries(log)
        expect(order).toHaveLength(3 * length)
        const chunks = numbers(30).map((chunk) => order.slice(chunk * chunksize, (chunk + 1) * chunksize))
        // Chunks do not mix: one runs after the other.
        for (const chunk of chunks) expect(new Set(chunk).size).toBe(1)
        const turns = chunks.map(([id]) => id)
        // Two chunks of the first stream were there before the others came. From then on each stream has every third
        // turn.
        const settled = turns.slice(2, 26)
        for (let turn = 0; turn + 4 <= settled.length; turn++) {
          expect([...new Set(settled.slice(turn, turn + 4))].sort()).toEqual([0, 1, 2])
        }
      })
    }

    for (const chunksize of CHUNKSIZES) {
      const title = `${ordered ? 'ordered' : 'unordered'}, chunksize ${chunksize}`

      it(`a short stream ends beside an endless one that is always read (${title})`, async () => {
        const verb = verbOf(single, ordered)
        const test = row()
        const endless = verb(
          act,
          new Probe().sync((n) => item(test, n)),
          { chunksize },
        )
        let open = true
        let given = 0
        const reading = (async () => {
          for await (const _ of endless) {
            given++
            if (!open) break
          }
        })()
        await until(() => given > 50)
        for (let round = 0; round < 5; round++) {
          expect(await collect(verb(double, numbers(20), { chunksize }))).toHaveLength(20)
        }
        const before = given
        await until(() => given > before + 50)
        open = false
        await reading
      })

      it(`a stream that is not read does not block another one (${title})`, async () => {
        const verb = verbOf(single, ordered)
        const test = row()
        const paused = verb(
          act,
          new Probe().sync((n) => item(test, n)),
          { chunksize, window: 14 },
        )
        await paused.next()
        expect(await collect(verb(double, numbers(50), { chunksize }))).toHaveLength(50)
        expect((await paused.next()).done).toBe(false)
        await paused.return()
      })

      it(`a stream opened while the only worker is occupied gets it next (${title})`, async () => {
        const verb = verbOf(single, ordered)
        const [test, other] = [row(), row()]
        const items = (n: number): string => item(test, n, n === 0 ? 'hold' : 'go')
        const occupying = verb(act, new Probe().sync(items), { chunksize, window: 14 })
        const first = occupying.next()
        await reaches(test + STARTED, 1)
        const coming = verb(act, [item(other, 5)], { chunksize })
        const result = coming.next()
        await until(() => single.stats().waiting >= 1)
        expect(count(other + STARTED)).toBe(0)
        raise(test + GATE)
        expect(await result).toEqual({ done: false, value: 5 })
        expect((await first).done).toBe(false)
        await Promise.all([coming.return(), occupying.return()])
      })
    }
  }

  it('twenty streams on one worker all end, in any order of reading', async () => {
    const streams = numbers(20).map((n) =>
      single.imap(
        double,
        numbers(50).map((x) => 100 * n + x),
        { window: 20 },
      ),
    )
    const results = await Promise.all(streams.toReversed().map((stream) => collect(stream)))
    expect(results.toReversed()).toEqual(numbers(20).map((n) => numbers(50).map((x) => 2 * (100 * n + x))))
    expect(single.stats()).toMatchObject({ busy: 0, waiting: 0, streams: 0 })
  })

  it('streams read turn by turn on one worker all end, though each waits for the other', async () => {
    const streams = numbers(5).map(() => single.imap(double, numbers(40), { window: 3, chunksize: 2 }))
    for (const x of numbers(40)) {
      for (const stream of streams) expect(await stream.next()).toEqual({ done: false, value: 2 * x })
    }
    for (const stream of streams) expect((await stream.next()).done).toBe(true)
  })
})

describe('clause 24: close()', () => {
  for (const ordered of [true, false]) {
    for (const chunksize of CHUNKSIZES) {
      it(`lets a running stream finish, and resolves after it and its threads (${ordered ? 'ordered' : 'unordered'}, chunksize ${chunksize})`, async () => {
        const exits: number[] = []
        const note = (worker: Worker): void => {
          worker.once('exit', (code) => exits.push(code))
        }
        process.on('worker', note)
        try {
          const pool = boardPool({ workers: 2 })
          const test = row()
          const stream = verbOf(pool, ordered)(
            act,
            numbers(40).map((n) => item(test, n, n === 3 ? 'hold' : 'go')),
            { chunksize },
          )
          const results = [await stream.next()]
          const happened: string[] = []
          const closing = pool.close().then(() => happened.push('closed'))
          const again = pool.close().then(() => happened.push('closed'))
          await new Promise(setImmediate)
          raise(test + GATE)
          for (let result = await stream.next(); result.done !== true; result = await stream.next())
            results.push(result)
          happened.push('finished')
          await Promise.all([closing, again])
          expect(results.map(({ value }) => value).sort((a, b) => (a ?? NaN) - (b ?? NaN))).toEqual(numbers(40))
          expect(happened).toEqual(['finished', 'closed', 'closed'])
          expect(exits).toHaveLength(2)
          expect(pool.stats()).toEqual({
            starting: 0,
            ready: 0,
            busy: 0,
            waiting: 0,
            streams: 0,
            crashes: 0,
            timeouts: 0,
            recycled: 0,
          })
        } finally {
          process.off('worker', note)
        }
      })
    }
  }

  it('of a pool that was never used resolves, as often as it is called', async () => {
    const pool = new Pool()
    await Promise.all([pool.close(), pool.close()])
    await pool.close()
    await pool.terminate()
  })

  it('also waits for a stream that is ended early', async () => {
    const pool = boardPool({ workers: 1 })
    const test = row()
    const stream = pool.imap(
      act,
      new Probe().sync((n) => item(test, n)),
    )
    await stream.next()
    const closing = pool.close()
    await stream.return()
    await closing
    expect(pool.stats()).toMatchObject({ ready: 0, streams: 0 })
  })

  it('while the threads are starting still gives the results', async () => {
    const pool = boardPool({ workers: 2 })
    const stream = pool.imap(double, [1, 2, 3])
    const first = stream.next()
    expect(pool.stats()).toMatchObject({ starting: 2, streams: 1 })
    const closing = pool.close()
    expect(await first).toEqual({ done: false, value: 2 })
    expect(await collect(stream)).toEqual([4, 6])
    await closing
  })
})

describe('clause 24: a closed pool', () => {
  for (const end of ['close', 'terminate'] as const) {
    it(`throws ERR_POOL_CLOSED at the call, naming the pool, after ${end}()`, async () => {
      const pool = new Pool({ name: 'mill', workers: 1 })
      const done = pool[end]()
      for (const verb of [pool.imap, pool.imapUnordered]) {
        for (const call of [() => verb(double), () => verb(double, [1])]) {
          expect(call).toThrow(PoolClosedError)
          expect(call).toThrow(closed())
          expect(call).toThrow(/pool 'mill'.*closed/)
        }
      }
      await done
    })

    it(`gives the same error from a stage or a stream made before, after ${end}(), and reads nothing`, async () => {
      const pool = new Pool({ workers: 1 })
      const stage = pool.imap(double)
      const probe = new Probe()
      const stream = pool.imapUnordered(
        double,
        probe.sync((n) => n),
      )
      const signal = new AbortController().signal
      const withSignal = pool.imap(
        double,
        probe.sync((n) => n),
        { signal },
      )
      await pool[end]()
      const error = { code: 'ERR_POOL_CLOSED', name: 'PoolClosedError' }
      expect(await rejection((async () => collect(stage(probe.sync((n) => n))))())).toMatchObject(error)
      for (const made of [stream, withSignal]) {
        expect(await rejection(made.next())).toMatchObject(error)
        expect(await made.next()).toEqual({ done: true, value: undefined })
      }
      expect([probe.opened, probe.reads, probe.returns]).toEqual([0, 0, 0])
    })
  }
})

describe('clause 24: terminate()', () => {
  const STATES: readonly (readonly [title: string, what: 'go' | 'hang' | 'spin' | 'block'])[] = [
    ['runs quick items', 'go'],
    ['waits for a task that never settles', 'hang'],
    ['waits for a task that loops for ever', 'spin'],
    ['waits for a task that blocks its thread', 'block'],
  ]
  for (const ordered of [true, false]) {
    for (const chunksize of CHUNKSIZES) {
      for (const [what, todo] of STATES) {
        it(`ends a stream that ${what} with ERR_POOL_TERMINATED (${ordered ? 'ordered' : 'unordered'}, chunksize ${chunksize})`, async () => {
          const pool = boardPool({ workers: 1, name: 'mill' })
          const test = row()
          const probe = new Probe()
          const stream: Stream<number> = verbOf(pool, ordered)(
            act,
            probe.async((n) => item(test, n, todo)),
            { chunksize },
          )
          const failure = rejection(collect(stream))
          await reaches(test + STARTED, 1)
          await pool.terminate()
          const error = await failure
          expect(error).toBeInstanceOf(PoolClosedError)
          expect(error).toMatchObject({
            code: 'ERR_POOL_TERMINATED',
            message: expect.stringContaining("'mill'") as string,
          })
          expect(await stream.next()).toEqual({ done: true, value: undefined })
          expect(probe.returns).toBe(1)
          expect(pool.stats()).toEqual({
            starting: 0,
            ready: 0,
            busy: 0,
            waiting: 0,
            streams: 0,
            crashes: 0,
            timeouts: 0,
            recycled: 0,
          })
        })
      }
    }
  }

  it('ends every open stream, each with the error once, and leaves streams that were done alone', async () => {
    const pool = boardPool({ workers: 2 })
    const done = pool.imap(double, [1])
    expect(await collect(done)).toEqual([2])
    const test = row()
    const streams = numbers(5).map(() =>
      pool.imap(
        act,
        new Probe().sync((n) => item(test, n)),
      ),
    )
    for (const stream of streams) await stream.next()
    await Promise.all([pool.terminate(), pool.terminate(), pool.close()])
    for (const stream of streams) {
      expect(await rejection(stream.next())).toMatchObject({ code: 'ERR_POOL_TERMINATED' })
      expect(await stream.next()).toEqual({ done: true, value: undefined })
    }
    expect(await done.next()).toEqual({ done: true, value: undefined })
  })

  it('ends a pool whose threads are still starting', async () => {
    const pool = boardPool({ workers: 2 })
    const failure = rejection(pool.imap(double, [1, 2, 3]).next())
    expect(pool.stats()).toMatchObject({ starting: 2 })
    await pool.terminate()
    expect(await failure).toMatchObject({ code: 'ERR_POOL_TERMINATED' })
  })

  it('cuts short a close() that waits for a stream', async () => {
    const pool = boardPool({ workers: 1 })
    const test = row()
    const failure = rejection(pool.imap(act, [item(test, 0, 'hang')]).next())
    await reaches(test + STARTED, 1)
    const closing = pool.close()
    await pool.terminate()
    await closing
    expect(await failure).toMatchObject({ code: 'ERR_POOL_TERMINATED' })
  })

  it('is what await using calls, also when an error leaves the scope', async () => {
    const test = row()
    let left: Pool<[SharedArrayBuffer]> | undefined
    let failure: Promise<unknown> | undefined
    const scope = (async () => {
      await using pool = boardPool({ workers: 1 })
      left = pool
      failure = rejection(pool.imap(act, [item(test, 0, 'hang')]).next())
      await reaches(test + STARTED, 1)
      throw new Error('left')
    })()
    expect(await rejection(scope)).toEqual(new Error('left'))
    expect(await failure).toMatchObject({ code: 'ERR_POOL_TERMINATED' })
    expect(() => left?.imap(double)).toThrow(closed())
  })
})
