/** Rows of the table of faults about sources, consumers and aborts, each while workers die and items run out of time. */
import { getEventListeners } from 'node:events'
import { Readable } from 'node:stream'
import { Pool } from 'millrace'
import { numbers, Probe, rejection, until } from '../fixtures/contract-b-ways.js'
import { deed, map } from '../fixtures/faults.js'
import {
  drain,
  expectNothingLeft,
  expectWhole,
  isIdle,
  open,
  resources,
  startedDuring,
  type Run,
} from '../support/faults.js'
import { judge } from './judge.js'
import { runProgram } from '../support/programs.js'
import { isFull, isFullOnProcesses } from '../support/volume.js'

const WINDOW = 16
/** Of 25 items two end their worker, and of 100 one is ended by its time limit. */
const TIMEOUT = 400
/** The number of items of a source that ends: four deaths, one time limit, and a chunk that is not full. */
const LENGTH = 60

function itemAt(n: number): string {
  if (n % 100 === 30) return deed(n, n % 200 === 30 ? 'spin' : 'hang')
  return deed(n, n % 25 === 3 ? 'exit' : n % 25 === 17 ? 'uncaught' : 'go')
}

const STREAMS: readonly Run[] = [
  { verb: 'imap', ordered: true, chunksize: 1 },
  { verb: 'imap', ordered: false, chunksize: 7 },
  { verb: 'flatMap', ordered: true, chunksize: 7 },
  { verb: 'filter', ordered: false, chunksize: 'auto' },
]
const FOLD: Run = { verb: 'reduce', ordered: true, chunksize: 7 }
/** Without full volume, a scene has one of this many ways. */
const STEP = 3

/** A pool, and the settings of its stream. */
class Scene {
  readonly run: Run
  readonly pool: Pool
  readonly probe = new Probe()
  readonly controller = new AbortController()
  /** The results that the consumer got. */
  readonly values: unknown[] = []

  constructor(run: Run, isolation: 'thread' | 'process') {
    this.pool = new Pool({ workers: 2, isolation })
    this.run = { ...run, window: WINDOW, timeout: TIMEOUT }
  }

  /** The stream of a source. The default source is endless, and is watched. */
  open(source: Iterable<string> | AsyncIterable<string> = this.probe.async(itemAt)): ReturnType<typeof open> {
    return open(this.pool, this.run, source, 'settle', this.controller.signal)
  }

  async consume(stream: AsyncIterable<unknown>): Promise<void> {
    for await (const value of stream) this.values.push(value)
  }

  /**
   * No result was lost, doubled, displaced or changed: all results of the first items are there, or their beginning.
   */
  expectResults(of: number, isWhole: boolean): void {
    if (this.run.verb === 'reduce' && !isWhole) {
      expect(this.values).toEqual([])
      return
    }
    const { verb, ordered } = this.run
    const errors = verb === 'imap' ? 'settle' : 'skip'
    const consumer = isWhole ? 'drain' : 'break'
    const judged = { verb, ordered, errors, consumer, throwsAt: undefined, leavesAt: this.values.length } as const
    const wrong = judge(judged, numbers(of).map(itemAt), { values: this.values, error: undefined })
    expect(wrong).toBeUndefined()
  }

  /** The source was closed once, and not read after that. */
  async expectClosedOnce(): Promise<void> {
    await this.probe.closed
    const { reads } = this.probe
    await until(() => isIdle(this.pool))
    expect(this.probe).toMatchObject({ opened: 1, reads, returns: 1 })
  }
}

/** The number of scenes. */
let scenes = 0

/**
 * Runs a scene in every way at full volume, otherwise in one: each scene continues with the next one.
 * Afterwards its pool must be idle and work, and must not have left anything behind.
 */
function inEveryWay(title: string, runs: readonly Run[], play: (scene: Scene) => Promise<void>): void {
  const number = scenes++
  const chosen = isFull ? runs : runs.filter((_, at) => at % STEP === number % STEP).slice(0, 1)
  const onThreads = chosen.map((run) => ({ run, isolation: 'thread' as const }))
  // Few of them run on processes, too: each death there costs the start of a process.
  const few = number % (2 * STEP) === 0 ? chosen.slice(0, 1) : []
  const onProcesses = (isFullOnProcesses ? chosen : few).map((run) => ({ run, isolation: 'process' as const }))
  const all = [...onThreads, ...onProcesses]
  for (const { run, isolation } of all) {
    const { verb, ordered, chunksize } = run
    const how = `${verb}, ${ordered ? 'ordered' : 'unordered'}, chunksize ${chunksize}, isolation ${isolation}`
    it(`${title} (${how})`, async () => {
      const before = resources()
      const scene = new Scene(run, isolation)
      const { pool, controller } = scene
      await play(scene)
      await until(() => isIdle(pool))
      expect(getEventListeners(controller.signal, 'abort')).toEqual([])
      await expectWhole(
        pool,
        { verb: 'imap', ordered: true },
        numbers(20).map((n) => deed(n)),
      )
      await pool.close()
      expect(pool.stats()).toMatchObject({ starting: 0, ready: 0, busy: 0, waiting: 0, streams: 0 })
      await expectNothingLeft(before)
    })
  }
}

/** The items of a source that ends, and then the call of `after`. */
function thenOf(probe: Probe, after: () => Promise<IteratorResult<string, undefined>>): AsyncIterable<string> {
  return {
    [Symbol.asyncIterator]: () => {
      const iterator = probe.iterator((n) => itemAt(n))
      return {
        next: () => (probe.reads < LENGTH ? Promise.resolve(iterator.next()) : after()),
        return: () => Promise.resolve(iterator.return?.() ?? { done: true, value: undefined }),
      }
    },
  }
}

const never = (): Promise<never> => new Promise(() => {})

describe('while workers die, a source', () => {
  const broke = new Error('the source broke')

  inEveryWay('throws: its error comes last, as it is', [...STREAMS, FOLD], async (scene) => {
    const source = thenOf(scene.probe, () => Promise.reject(broke))
    expect(await rejection(scene.consume(scene.open(source)))).toBe(broke)
    scene.expectResults(LENGTH, scene.run.verb !== 'reduce')
    expect(scene.probe.returns).toBe(0)
    expect(scene.pool.stats()).toMatchObject({ crashes: 5, timeouts: 1 })
  })

  inEveryWay('returns garbage: a TypeError comes last, and names it', [...STREAMS, FOLD], async (scene) => {
    const source = thenOf(scene.probe, () => Promise.resolve(42 as never))
    const error = await rejection(scene.consume(scene.open(source)))
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({
      code: 'ERR_INVALID_SOURCE',
      message: expect.stringContaining('received 42') as string,
    })
    scene.expectResults(LENGTH, scene.run.verb !== 'reduce')
    expect(scene.probe.returns).toBe(0)
  })

  inEveryWay('ends early: what it gave has its results', [...STREAMS, FOLD], async (scene) => {
    const ends = scene.probe.sync((n) => (n < LENGTH ? itemAt(n) : undefined))
    await scene.consume(scene.open(ends))
    scene.expectResults(LENGTH, true)
    expect(scene.probe).toMatchObject({ opened: 1, reads: LENGTH + 1, returns: 0 })
  })

  inEveryWay('is a Readable that is destroyed early: that is told, after the results', STREAMS, async (scene) => {
    const readable = new Readable({ objectMode: true, read: () => undefined })
    const given = WINDOW - 1
    for (const n of numbers(given)) readable.push(itemAt(n))
    const stream = scene.open(readable as AsyncIterable<string>)
    const ended = rejection(scene.consume(stream))
    await until(() => stream.stats?.().read === given)
    readable.destroy()
    expect(await ended).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' })
    scene.expectResults(given, true)
  })

  inEveryWay('hangs: the results of what it gave come, and the stream can be left', STREAMS, async (scene) => {
    const stream = scene.open(thenOf(scene.probe, never))
    const iterator = stream[Symbol.asyncIterator]()
    const consumed = scene.consume({ [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) })
    await until(() => scene.pool.stats().busy + scene.pool.stats().waiting === 0 && scene.probe.reads === LENGTH)
    await iterator.return?.()
    await consumed
    scene.expectResults(LENGTH, true)
    await scene.expectClosedOnce()
  })

  inEveryWay('hangs: the stream can be aborted', [...STREAMS, FOLD], async (scene) => {
    const aborted = rejection(scene.consume(scene.open(thenOf(scene.probe, never))))
    await until(() => scene.pool.stats().crashes > 0 && scene.probe.reads === LENGTH)
    scene.controller.abort(broke)
    expect(await aborted).toBe(broke)
    scene.expectResults(LENGTH, false)
    await scene.expectClosedOnce()
  })
})

/** The moments when a consumer leaves, or a signal fires: after one death, after several, after a time limit. */
const MOMENTS: readonly (readonly [title: string, isNow: (pool: Pool) => boolean])[] = [
  ['a worker has died', (pool) => pool.stats().crashes > 0],
  ['three have died', (pool) => pool.stats().crashes > 2],
  ['an item has run out of time', (pool) => pool.stats().timeouts > 0],
]

describe('while workers die, a consumer', () => {
  const gaveUp = new Error('the consumer gave up')

  for (const [when, isNow] of MOMENTS) {
    inEveryWay(`breaks when ${when}: it was given the beginning`, STREAMS, async (scene) => {
      for await (const value of scene.open()) {
        scene.values.push(value)
        if (isNow(scene.pool)) break
      }
      await scene.expectClosedOnce()
      scene.expectResults(scene.probe.reads, false)
    })
  }

  inEveryWay('throws: its own error is what it gets', STREAMS, async (scene) => {
    const consumed = (async () => {
      for await (const value of scene.open()) {
        scene.values.push(value)
        if (scene.pool.stats().crashes > 1) throw gaveUp
      }
    })()
    expect(await rejection(consumed)).toBe(gaveUp)
    await scene.expectClosedOnce()
    scene.expectResults(scene.probe.reads, false)
  })

  inEveryWay('never comes back: no more is read than the window, and others go on', STREAMS, async (scene) => {
    const { pool, probe, values } = scene
    const stream = scene.open()
    const iterator = stream[Symbol.asyncIterator]()
    while (pool.stats().crashes === 0) values.push((await iterator.next()).value)
    await until(() => pool.stats().busy + pool.stats().waiting === 0)
    // The deaths by the items that were read are over.
    const { crashes } = pool.stats()
    const { read = 0 } = stream.stats?.() ?? {}
    expect(read).toBe(probe.reads)
    await expectWhole(pool, { verb: 'imap', ordered: true, chunksize: 3 }, numbers(50).map(itemAt).slice(0, 30))
    expect(pool.stats()).toMatchObject({ streams: 1, crashes: crashes + 3 })
    expect(probe).toMatchObject({ reads: read, returns: 0 })
    scene.expectResults(read, false)
    await iterator.return?.()
    await scene.expectClosedOnce()
  })

  it('never comes back: its program ends by itself', async () => {
    const ending = await runProgram('exits.js', ['forgottenCrashing'])
    expect(ending).toMatchObject({ code: 0, signal: null, stderr: '' })
    expect(ending.stdout).toMatch(/^end\n/)
  })
})

describe('while workers die, an abort', () => {
  const reason = new Error('enough')

  inEveryWay('before: nothing is read, and the stream beside it is unharmed', [...STREAMS, FOLD], async (scene) => {
    const beside = numbers(LENGTH).map(itemAt)
    const whole = expectWhole(scene.pool, { ...scene.run, verb: 'imap' }, beside)
    await until(() => scene.pool.stats().crashes > 0)
    scene.controller.abort(reason)
    expect(await rejection(scene.consume(scene.open()))).toBe(reason)
    expect(scene.values).toEqual([])
    expect(scene.probe).toMatchObject({ opened: 0, reads: 0, returns: 0 })
    await whole
  })

  it('before: no worker is started', async () => {
    const pool = new Pool({ workers: 2 })
    const started = await startedDuring(async () => {
      const signal = AbortSignal.abort(reason)
      expect(await rejection(drain(pool.imap(map, numbers(LENGTH).map(itemAt), { signal })))).toBe(reason)
      await pool.close()
    })
    expect(started).toBe(0)
  })

  for (const [when, isNow] of MOMENTS) {
    inEveryWay(`during, when ${when}: its reason comes after the beginning`, [...STREAMS, FOLD], async (scene) => {
      const aborted = rejection(scene.consume(scene.open()))
      await until(() => isNow(scene.pool))
      scene.controller.abort(reason)
      expect(await aborted).toBe(reason)
      await scene.expectClosedOnce()
      scene.expectResults(scene.probe.reads, false)
    })
  }

  inEveryWay('after: nothing comes of it', [...STREAMS, FOLD], async (scene) => {
    const results = scene.open(numbers(LENGTH).map(itemAt))[Symbol.asyncIterator]()
    await scene.consume({ [Symbol.asyncIterator]: () => results })
    expect(getEventListeners(scene.controller.signal, 'abort')).toEqual([])
    scene.controller.abort(reason)
    scene.expectResults(LENGTH, true)
    expect(await results.next()).toEqual({ done: true, value: undefined })
  })
})
