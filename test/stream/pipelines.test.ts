/** `stream.pipeline` and `compose` give the error that ended the pipeline, as it was thrown, and close the sources. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import * as streams from 'node:stream'
import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { failure, imap, imapUnordered, Pool, reduce, type Source, type Stage } from 'millrace'
import { failAtFive, same } from '../fixtures/contract-a-values.js'
import { turns } from '../support/gates.js'

const pool = new Pool({ workers: 1, name: 'pipelines' })
afterAll(() => pool.terminate())

// Every supported Node has it. The types of Node 20 do not.
const { compose } = streams as unknown as { compose: (...parts: unknown[]) => streams.Duplex }
const run = pipeline as (...parts: unknown[]) => Promise<unknown>

/** Gives six items, and then never answers. Its items are the first ones of an endless source. */
function silent(items = 6): Readable {
  let n = 0
  return new Readable({
    objectMode: true,
    read() {
      if (n < items) this.push(n++)
    },
  })
}

function through(): PassThrough {
  return new PassThrough({ objectMode: true })
}

function sink(): Writable {
  return new Writable({
    objectMode: true,
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => {
      setImmediate(done)
    },
  })
}

interface Stages {
  readonly good: Stage<number, number>
  readonly failing: Stage<number, number>
  readonly unordered: Stage<number, number>
}

const stages: Record<string, Stages> = {
  'on a pool': {
    good: pool.imap(same) as Stage<number, number>,
    failing: pool.imap(failAtFive),
    unordered: pool.imapUnordered(failAtFive),
  },
  'on this thread': {
    good: imap((n: number) => n, { workers: 0 }),
    failing: imap(failAtFive, { workers: 0 }),
    unordered: imapUnordered(failAtFive, { workers: 0 }),
  },
}

async function* passed<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  yield* source
}

async function* thrown(source: AsyncIterable<number>): AsyncGenerator<number> {
  for await (const n of source) {
    if (n === 5) throw Object.assign(new RangeError('item 5 fails'), { code: 'E_FIVE' })
    yield n
  }
}

/** If a generator waits while it is left, Node gives it another error than that of its source. */
async function* closedLater<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* source
  } finally {
    await turns(3)
  }
}

async function* failedLater<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* source
  } catch (error) {
    await turns(3)
    throw new Error('wrapped', { cause: error })
  }
}

const rows: Record<string, (stage: Stages) => unknown[]> = {
  'into a Writable': ({ failing }) => [silent(), through(), failing, sink()],
  'that is endless': ({ failing }) => [silent(Infinity), through(), failing, sink()],
  'into a function': ({ failing }) => [silent(), through(), failing, (s: Source<number>) => Readable.from(s).toArray()],
  'of an unordered stage': ({ unordered }) => [silent(), through(), unordered, sink()],
  'of a second stage': ({ good, failing }) => [silent(), through(), good, failing, sink()],
  'of a first stage': ({ good, failing }) => [silent(), through(), failing, good, sink()],
  'of a stage behind a generator': ({ good, failing }) => [silent(), through(), good, passed, failing, sink()],
  'of a stage in front of a generator': ({ failing }) => [silent(), through(), failing, passed, sink()],
  'in front of a generator that waits when it ends': ({ failing }) => [
    silent(),
    through(),
    failing,
    closedLater,
    sink(),
  ],
  'behind a generator that waits when it ends': ({ failing }) => [silent(), through(), closedLater, failing, sink()],
  'between generators that wait when they end': ({ failing }) => [
    silent(),
    through(),
    closedLater,
    failing,
    closedLater,
    sink(),
  ],
  'of a stage whose generator waits, between two others': ({ good, failing }) => [
    silent(),
    through(),
    good,
    closedLater,
    failing,
    good,
    sink(),
  ],
  'in front of generators that wait and throw their own': ({ failing }) => [
    silent(),
    through(),
    failing,
    failedLater,
    failedLater,
    through(),
    sink(),
  ],
  'behind a function that gives a Node stream': ({ failing }) => [() => silent(), failing, sink()],
  'behind a web TransformStream': ({ failing }) => [silent(), new TransformStream(), failing, sink()],
  'in compose() at its end': ({ failing }) => [silent(), compose(through(), failing), sink()],
  'in the middle of compose()': ({ failing }) => [silent(), compose(through(), failing, through()), sink()],
}

for (const [where, stage] of Object.entries(stages)) {
  for (const [what, parts] of Object.entries(rows)) {
    it(`the error of a task comes out of a pipeline ${where}, with its information: ${what}`, async () => {
      const made = parts(stage)
      const error: unknown = await run(...made).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ name: 'RangeError', message: 'item 5 fails', code: 'E_FIVE' })
      expect(failure(error)).toMatchObject({ index: 5, item: 5, attempts: 1 })
      await turns(3)
      for (const part of made)
        if (part instanceof Readable || part instanceof Writable) expect(part.destroyed).toBe(true)
    })
  }

  it(`an error of a generator behind a stage ${where}, which leaves the stage by return(), comes out`, async () => {
    const middle = through()
    const error: unknown = await run(silent(), middle, stage.good, thrown, sink()).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'RangeError', code: 'E_FIVE' })
    expect(middle.destroyed).toBe(true)
  })

  it(`an error of a generator behind a stage ${where} that waits when it ends comes out where it is called`, async () => {
    const source = silent()
    const last = sink()
    const results = closedLater(thrown(stage.good(source)))
    const error: unknown = await run(results, last).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'RangeError', code: 'E_FIVE' })
    expect([source.destroyed, last.destroyed]).toEqual([true, true])
  })

  it(`a function that leaves a stage ${where} has its source closed`, async () => {
    const source = silent()
    const first = await run(source, stage.good, async (results: AsyncIterable<number>) => {
      for await (const n of results) return n
      return undefined
    })
    expect(first).toBe(0)
    await turns(2)
    expect(source.destroyed).toBe(true)
  })

  it(`the abort of a pipeline ${where} comes out as it would without a stage`, async () => {
    for (const parts of [[stage.good], [stage.good, stage.good], [stage.good, passed, stage.good]]) {
      const controller = new AbortController()
      const opened = once(controller.signal, 'abort')
      const last = new Writable({
        objectMode: true,
        write: (n: number, _encoding, done) => {
          if (n === 2) controller.abort(new Error('enough'))
          else done()
        },
      })
      const middle = through()
      const error: unknown = await run(silent(), middle, ...parts, last, { signal: controller.signal }).catch(
        (reason: unknown) => reason,
      )
      await opened
      expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' })
      expect(middle.destroyed).toBe(true)
    }
  })

  it(`the reason of a stage's own signal comes out of a pipeline ${where}`, async () => {
    const controller = new AbortController()
    const reason = Object.assign(new Error('own'), { code: 'E_OWN' })
    const aborted = (source: Source<number>): unknown =>
      where === 'on a pool'
        ? pool.imap(same, source, { signal: controller.signal })
        : imap((n: number) => n, source, { workers: 0, signal: controller.signal })
    const last = new Writable({
      objectMode: true,
      write: (n: number, _encoding, done) => {
        if (n === 2) controller.abort(reason)
        done()
      },
    })
    // A stage that the pipeline knows, and one that a function makes.
    const stageOf =
      where === 'on a pool'
        ? pool.imap(same, { signal: controller.signal })
        : imap((n: number) => n, { workers: 0, signal: controller.signal })
    await expect(run(silent(), through(), stageOf, last)).rejects.toBe(reason)
    await expect(run([1, 2, 3], aborted, sink())).rejects.toBe(reason)
  })

  it(`a socket is closed when a stage ${where} fails, and the task's error comes out`, async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.write('x')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    async function* five(source: AsyncIterable<unknown>): AsyncGenerator<number> {
      for await (const _ of source) yield 5
    }
    const socket = connect(port, '127.0.0.1')
    const closed = new Promise((resolve) => socket.once('close', resolve))
    await expect(run(socket, through(), five, stage.failing, sink())).rejects.toMatchObject({ code: 'E_FIVE' })
    await closed
    server.close()
  })

  it(`a stage ${where} that gets no next() closes its source when the pipeline ends`, async () => {
    const source = silent()
    const controller = new AbortController()
    // It is full, and does not ask for more.
    const full = new Writable({ objectMode: true, highWaterMark: 1, write: () => undefined })
    full.write(0)
    const running = run(() => source, stage.good, full, { signal: controller.signal })
    const ended = expect(running).rejects.toMatchObject({ name: 'AbortError' })
    controller.abort()
    await ended
    await turns(2)
    expect(source.destroyed).toBe(true)
  })
}

it('the error of a task comes out of a pipeline that ends in reduce()', async () => {
  const fold = reduce((sum: number, n: number) => sum + failAtFive(n), {
    workers: 0,
    initial: 0,
    merge: (a: number, b: number) => a + b,
    chunksize: 1,
  })
  const error: unknown = await run(silent(), through(), fold).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ name: 'RangeError', code: 'E_FIVE' })
})
