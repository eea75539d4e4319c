/** The options of a pool with `isolation: 'process'`, and what its tasks and items can be. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { BlockList } from 'node:net'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SHARE_ENV } from 'node:worker_threads'
import {
  csv,
  lines,
  NotSerializableError,
  pipe,
  Pool,
  rejects,
  WorkerStartError,
  write,
  type Diagnostics,
  type Outcome,
} from 'millrace'
import { getLogger, Lock, logTo, Value } from 'millrace/multiprocessing'
import { collect, numbers, rejection, until } from '../fixtures/contract-b-ways.js'
import { logs, logsAtExit, placed, row } from '../fixtures/process-log.js'
import {
  begin,
  chdir,
  doubled,
  facts,
  failToBegin,
  finish,
  hangUp,
  makeBlob,
  blobOf3,
  nested,
  obey,
  orders,
  share,
  sumUp,
  unshare,
  useEnv,
  waitForAbort,
  whatBegan,
} from '../fixtures/process-tasks.js'
import { gone } from '../support/process-state.js'

const pool = new Pool({ workers: 2, isolation: 'process', name: 'apart' })
const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
afterAll(async () => {
  await pool.terminate()
  rmSync(folder, { recursive: true })
})

const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: { readonly Module: new (bytes: Uint8Array) => object }
}

describe('isolation', () => {
  it("is 'thread' by default, or 'process'", async () => {
    await using threads = new Pool({ workers: 1, isolation: 'thread' })
    expect((await threads.apply(facts)).pid).toBe(process.pid)
    expect((await pool.apply(facts)).pid).not.toBe(process.pid)
    expect(() => new Pool({ isolation: 'container' as 'thread' })).toThrow(
      "Cannot make a pool as 'isolation' must be 'thread' or 'process': received 'container'",
    )
  })

  it.each([
    [{ env: SHARE_ENV }, "'env' must be an object of strings with isolation 'process'"],
    [{ resourceLimits: { stackSizeMb: 4 } }, "'resourceLimits.stackSizeMb' must be left out with isolation 'process'"],
    [{ resourceLimits: { codeRangeSizeMb: 4 } }, "'resourceLimits.codeRangeSizeMb' must be left out"],
  ] as const)('takes no option that only threads have: %o', (options, message) => {
    expect(() => new Pool({ isolation: 'process', ...options })).toThrow(message)
    expect(() => new Pool({ isolation: 'process', ...options })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION' }) as Error,
    )
  })

  it('turns memory limits into options of Node', async () => {
    const resourceLimits = { maxOldGenerationSizeMb: 100, maxYoungGenerationSizeMb: 24 }
    await using limited = new Pool({ workers: 1, isolation: 'process', resourceLimits, execArgv: ['--no-warnings'] })
    const { execArgv } = await limited.apply(facts)
    expect(execArgv).toEqual(['--no-warnings', '--max-old-space-size=100', '--max-semi-space-size=8'])
  })

  it('passes environment variables on', async () => {
    const env = { MILLRACE_TEST: 'yes', MISSING: undefined }
    await using own = new Pool({ workers: 1, isolation: 'process', env })
    expect(await own.apply(useEnv, ['MILLRACE_TEST'])).toBe('yes')
    expect(await own.apply(useEnv, ['MISSING'])).toBeUndefined()
    expect(await pool.apply(useEnv, ['PATH'])).toBe(process.env.PATH)
  })
})

describe('a worker process', () => {
  it('is a process of the system, with its own folder and an empty input', async () => {
    const told: Diagnostics['millrace:worker:start'][] = []
    const note = (event: unknown): void => void told.push(event as Diagnostics['millrace:worker:start'])
    subscribe('millrace:worker:start', note)
    await using own = new Pool({ workers: 1, isolation: 'process', name: 'one' })
    const { pid, parentPid, own: identity, parent, hasInput } = await own.apply(facts)
    unsubscribe('millrace:worker:start', note)
    expect(parentPid).toBe(process.pid)
    expect(identity).toEqual({ name: 'one-1', pid, daemon: true })
    expect(parent).toMatchObject({ pid: process.pid })
    expect(hasInput).toBe(false)
    expect(told).toEqual([{ name: 'one-1', pid, pool: 'one', worker: 1 }])
    expect(await own.apply(chdir, [folder])).toBe(realpathSync(folder))
    expect(process.cwd()).not.toBe(realpathSync(folder))
    await own.close()
    await gone([pid])
  })

  it('is not the main thread, whatever node:worker_threads says', async () => {
    expect(await pool.apply(facts)).toMatchObject({ isMainThread: false, isMainThreadOfNode: true })
  })

  it('runs its initializer first and its finalizer last', async () => {
    const own = new Pool({
      workers: 1,
      isolation: 'process',
      initializer: begin,
      initargs: ['well'],
      finalizer: finish,
    })
    expect(await own.apply(whatBegan)).toBe('well')
    expect(await own.close()).toEqual(['well and done'])
    await using failing = new Pool({ workers: 1, isolation: 'process', initializer: failToBegin })
    const error = await rejection(failing.apply(whatBegan))
    expect(error).toBeInstanceOf(WorkerStartError)
    expect(error).toMatchObject({
      message: expect.stringContaining('no way in') as string,
      cause: { name: 'RangeError' },
    })
  })

  it('is ended when its finalizer takes too long, or by terminate()', async () => {
    const own = new Pool({ workers: 1, isolation: 'process', finalizer: hangUp, startTimeout: 2_000 })
    expect(await own.apply(doubled, [2])).toBe(4)
    expect(await rejection(own.close())).toMatchObject({ code: 'ERR_TASK_TIMEOUT' })
    const other = new Pool({ workers: 1, isolation: 'process', finalizer: hangUp })
    expect(await other.apply(doubled, [2])).toBe(4)
    const closing = other.close()
    await other.terminate()
    expect(await closing).toEqual([])
    expect(other.stats()).toMatchObject({ starting: 0, ready: 0 })
  })

  it('is replaced after maxTasksPerWorker items, or at maxHeapUsed bytes', async () => {
    for (const options of [{ maxTasksPerWorker: 5 }, { maxHeapUsed: 1 }]) {
      await using own = new Pool({ workers: 1, isolation: 'process', ...options })
      expect(await collect(own.imap(doubled, numbers(12), { chunksize: 5 }))).toEqual(numbers(12).map((n) => 2 * n))
      await until(() => own.stats().recycled >= 2)
      expect(own.stats().crashes).toBe(0)
    }
  })

  it('runs streams of its own, on threads', async () => {
    expect(await pool.apply(nested, [4])).toEqual([8, 10])
  })

  it('fires the signal of its tasks, with the reason', async () => {
    const controller = new AbortController()
    const running = rejection(pool.apply(waitForAbort as never, [0], { signal: controller.signal }))
    controller.abort(new Error('enough'))
    expect(await running).toEqual(new Error('enough'))
    expect(await pool.apply(doubled, [1])).toBe(2)
  })

  it('hands its log to this process, at the level that is set while it runs', async () => {
    const texts: string[] = []
    const put = (text: string): void => void texts.push(text)
    await using own = new Pool({ workers: 1, isolation: 'process', name: 'logging' })
    await own.apply(logs, ['too soon'])
    try {
      logTo({ debug: put, info: put, warn: put, error: put }, 'info')
      await own.apply(logs, ['in time'])
      await until(() => texts.includes('[logging-1] in time'))
      expect(texts).not.toContain('[logging-1] too soon')
    } finally {
      logTo(null)
      getLogger().level = 'silent'
    }
  })

  it('has in the log all that handlers of `exit` write, when it ends as it was asked to', async () => {
    const texts: string[] = []
    const put = (text: string): void => void texts.push(text)
    const own = new Pool({ workers: 1, isolation: 'process', name: 'last' })
    try {
      logTo({ debug: put, info: put, warn: put, error: put }, 'info')
      await own.apply(logsAtExit, [3_000])
      await own.close()
      expect(texts.filter((text) => text.startsWith('[last-1] at exit'))).toEqual(
        Array.from({ length: 3_000 }, (_, n) => `[last-1] at exit ${n}`),
      )
    } finally {
      logTo(null)
      getLogger().level = 'silent'
    }
  })
})

describe('values', () => {
  const many = numbers(200)
  const whole = [
    ['records', many.map((n) => ({ n, text: `text ${n}`, at: new Date(n), list: [n, n / 2] }))],
    ['a Buffer', [Buffer.from('bytes'), Buffer.alloc(100_000, 7)]],
    ['holes, -0, NaN, bigints, maps and sets', [[1, , 3], -0, NaN, 10n, new Map([[{ a: 1 }, new Set([2])]])]],
    ['errors', [Object.assign(new TypeError('no', { cause: new Error('why') }))]],
    ['objects without a prototype', [Object.assign(Object.create(null) as object, { a: 1 })]],
    ['long text', ['x'.repeat(3_000_000), 'ü😀'.repeat(1_000)]],
  ] as const
  it.each(whole)('arrive as they do from threads: %s', async (_, values: readonly unknown[]) => {
    await using threads = new Pool({ workers: 1 })
    const options = { chunksize: values.length, window: values.length }
    const there = await collect(pool.imap(unshare, values, options))
    expect(there).toEqual(await collect(threads.imap(unshare, values, options)))
    expect(there).toEqual(values)
  })

  it.each([
    [
      'a Lock',
      () => ({ deep: [new Lock()] }),
      "item.deep[0] is a Lock, which processes cannot share: use isolation 'thread'",
    ],
    ['a Value', () => new Value('int32', 0), 'item is a Value, which processes cannot share'],
    [
      'a SharedArrayBuffer',
      () => [new SharedArrayBuffer(8)],
      'item[0] is a SharedArrayBuffer, which processes cannot share',
    ],
    [
      'a view of one',
      () => ({ view: new Uint8Array(new SharedArrayBuffer(8)) }),
      'item.view is a Uint8Array, which processes cannot share',
    ],
    ['a Blob', () => ({ blob: new Blob(['x']) }), 'item.blob is a Blob, which processes cannot share'],
    [
      'a Blob in a list',
      () => [{ n: 1, deep: [new Blob(['x'])] }],
      'item[0].deep[0] is a Blob, which processes cannot share',
    ],
    ['a BlockList', () => new BlockList(), 'item is a BlockList, which processes cannot share'],
    [
      'a WebAssembly.Module',
      () => new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)),
      'item is a Module, which processes cannot share',
    ],
  ] as const)('that only threads share fail their item alone: %s', async (_, make, message) => {
    for (const chunksize of [1, 3]) {
      const outcomes = await collect<Outcome<unknown, unknown>>(
        pool.imap(unshare, [1, make(), 3], { chunksize, errors: 'settle' }),
      )
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      const { reason } = outcomes[1] as { reason: Error }
      expect(reason).toBeInstanceOf(NotSerializableError)
      expect(reason.message).toContain(`Cannot send item 1 to a worker as ${message}`)
    }
  })

  it('that only threads share are refused as results, initial value and initargs', async () => {
    expect(await rejection(pool.apply(share))).toMatchObject({
      name: 'NotSerializableError',
      message: expect.stringContaining(
        "result.found[0] is a Lock, which processes cannot share: use isolation 'thread'",
      ) as string,
    })
    expect(await rejection(pool.apply(makeBlob))).toMatchObject({
      message: expect.stringContaining('result.made[0] is a Blob, which processes cannot share') as string,
    })
    // Chunks of more than 32 items are not tracked item by item.
    const many = await collect<Outcome<unknown, number>>(
      pool.imap(makeBlob as never, numbers(100), { chunksize: 100, errors: 'settle' }),
    )
    expect(new Set(many.map(({ status }) => status))).toEqual(new Set(['rejected']))
    const initial = { lock: new Lock() }
    expect(await rejection(pool.reduce(sumUp as never, [1], { initial, merge: (a) => a }))).toMatchObject({
      message: expect.stringContaining('initial.lock is a Lock, which processes cannot share') as string,
    })
    expect(
      () => new Pool({ isolation: 'process', initializer: begin as never, initargs: [new Lock()] as never }),
    ).toThrow("Cannot make a pool as initargs[0] is a Lock, which processes cannot share: use isolation 'thread'")
  })

  it('that only threads share fail their item alone, also if a stage on threads has made them', async () => {
    await using threads = new Pool({ workers: 1 })
    for (const chunksize of [1, 10]) {
      const stage = pool.imap(unshare, { chunksize, errors: 'settle' })
      const outcomes = await collect(pipe(numbers(10), threads.imap(blobOf3, { chunksize }), stage))
      expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual(numbers(10).map((n) => n !== 3))
      const { reason } = outcomes[3] as { reason: Error }
      expect(reason).toBeInstanceOf(NotSerializableError)
      expect(reason.message).toContain('Cannot send item 3 to a worker as item.made[0] is a Blob')
    }
  })

  it('are moved where a task or an option says so', async () => {
    const items = numbers(3).map((n) => new Uint8Array(1_000).fill(n))
    const moved = await collect(pool.imap(unshare, items, { transfer: (item) => [(item as Uint8Array).buffer] }))
    expect(items.map(({ byteLength }) => byteLength)).toEqual([0, 0, 0])
    expect(moved.map((bytes) => (bytes as Uint8Array)[999])).toEqual([0, 1, 2])
  })
})

describe('records', () => {
  it('go to worker processes as bytes: lines, of every kind, and rows with their places', async () => {
    const path = join(folder, 'lines.txt')
    const texts = numbers(5_000).map((n) => (n % 3 === 0 ? `zeile ${n} äöü` : `line ${n}`))
    writeFileSync(path, texts.join('\r\n'))
    for (const chunksize of [1_000, 'auto'] as const) {
      expect(await collect(pool.imap(unshare, lines(path), { chunksize, window: 10_000 }))).toEqual(texts)
    }
    const table = join(folder, 'table.csv')
    writeFileSync(
      table,
      `a,b\n${numbers(500)
        .map((n) => `${n},"two\nlines ${n}"`)
        .join('\n')}`,
    )
    const rows = await collect(pool.imap(placed, csv(table), { chunksize: 17, window: 500 }))
    expect(rows).toEqual(numbers(500).map((n) => ({ a: String(n), line: 2 * n + 2, record: n + 1 })))
  })

  it('fail alone, and can be written to a file of rejects and as results', async () => {
    const [bad, out] = [join(folder, 'bad'), join(folder, 'out.csv')]
    const results = pool.imap(obey, orders(60, { 7: 'exit' }), { errors: rejects(bad), chunksize: 20 })
    expect(await collect(results)).toHaveLength(59)
    expect(readFileSync(bad, 'utf8').trim().split('\n')).toHaveLength(1)
    await pipe(pool.imap(row, numbers(300)), write(out))
    expect(readFileSync(out, 'utf8').split('\n').slice(0, 3)).toEqual(['n,square', '0,0', '1,1'])
  })
})
