/** Streams on two hosts with worker processes, over a broker that works. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipe, write } from 'millrace'
import { getLogger, logTo } from '#dist/multiprocessing/log/logger.js'
import { failure } from '#dist/failure.js'
import { lines } from '#dist/io/lines.js'
import { Names } from '#dist/cluster/names.js'
import type { Host } from '#dist/cluster/host.js'
import * as tasks from '../fixtures/cluster-tasks.js'
import { CalmCluster, MAX_PAYLOAD, NAMES, verbsOn } from '../support/cluster/calm.js'
import { SimulatedTime } from '../support/cluster/simulated-time.js'
import { rejection } from '../support/matrix.js'

const url = new URL('../fixtures/cluster-tasks.js', import.meta.url).href
const cluster = new CalmCluster()
const remote = cluster.executor()
const { apply, filter, flatMap, imap, imapUnordered, istarmap, map, reduce } = verbsOn(remote)
const hosts: Host[] = []
const numbers = Array.from({ length: 100 }, (_, n) => n)

beforeAll(async () => {
  hosts.push(await cluster.host('one', url, ['exported']), await cluster.host('two', url))
})
afterAll(() => cluster.close())

/** Resolves when the producer says that something is so. It has no event for that. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('a verb on hosts', () => {
  const doubled = numbers.map((n) => 2 * n)

  it('gives what it gives on threads', async () => {
    expect(await imap(tasks.double, numbers).toArray()).toEqual(doubled)
    const unordered = await imapUnordered(tasks.double, numbers, { chunksize: 7 }).toArray()
    expect(unordered.sort((one, other) => one - other)).toEqual(doubled)
    expect(await map(tasks.double, numbers)).toEqual(doubled)
    expect(await filter(tasks.isEven, numbers).toArray()).toEqual(numbers.filter((n) => n % 2 === 0))
    expect(await flatMap(tasks.upTo, [2, 0, 3]).toArray()).toEqual([0, 1, 0, 1, 2])
    expect(
      await istarmap(tasks.sum, [
        [1, 2],
        [3, 4],
      ] as const).toArray(),
    ).toEqual([3, 7])
    expect(await apply(tasks.sum, [3, 4])).toBe(7)
    const merge = (one: number, other: number): number => one + other
    expect(await reduce(tasks.add, numbers, { initial: 0, merge, chunksize: 9 })).toBe(4950)
  })

  it('keeps kinds of values', async () => {
    const values = [-0, NaN, 1n, new Date(5), new Map([[1, { a: [undefined] }]]), new Uint8Array([1, 2]), /x/g]
    expect(await imap(tasks.keep, values, { chunksize: 3 }).toArray()).toEqual(values)
  })

  it('knows where lines are', async () => {
    const source = lines([Buffer.from('one\ntwo\nthree\n')])
    expect(await imap(tasks.place, source, { chunksize: 2 }).toArray()).toEqual([
      { line: 'one', index: 0, record: 1, offset: 0 },
      { line: 'two', index: 1, record: 2, offset: 4 },
      { line: 'three', index: 2, record: 3, offset: 8 },
    ])
  })

  it('writes results to a file', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'cluster-')), 'out.ndjson')
    await pipe([1, 2, 3], imap(tasks.record), write(path))
    expect(readFileSync(path, 'utf8')).toBe('{"n":1,"text":"n1"}\n{"n":2,"text":"n2"}\n{"n":3,"text":"n3"}\n')
  })

  it('feeds another one', async () => {
    expect(await pipe(numbers, imap(tasks.double), imap(tasks.double)).toArray()).toEqual(numbers.map((n) => 4 * n))
  })

  it('closes the connection after the last stream', async () => {
    await imap(tasks.double, [1]).toArray()
    await until(() => !remote.producer.isOpen)
    await cluster.server.until(() => cluster.stored.every((count) => count === 0))
  })
})

describe('an item fails alone', () => {
  it('if its task throws: the error has all that it has, and its item', async () => {
    const outcomes = await imap(tasks.fails, [1, 3, 4], { errors: 'settle' }).toArray()
    const [first, second, third] = outcomes
    expect([first?.status, third?.status]).toEqual(['fulfilled', 'fulfilled'])
    const reason = second?.status === 'rejected' ? second.reason : undefined
    expect(reason).toBeInstanceOf(RangeError)
    expect(reason).toMatchObject({ message: 'no 3', code: 'E_THREE', n: 3 })
    expect(failure(reason)).toMatchObject({ index: 1, item: 3, task: 'fails', attempts: 1 })
  })

  it('names its host: in the error, the outcome, the event and the log', async () => {
    const told: unknown[] = []
    const note = (event: unknown): void => void told.push(event)
    const warnings: string[] = []
    subscribe('millrace:task:failure', note)
    logTo({ ...console, warn: (text: string) => warnings.push(text) }, 'warn')
    const [outcome] = await imap(tasks.fails, [3], { errors: 'settle' }).toArray()
    unsubscribe('millrace:task:failure', note)
    logTo(null)
    getLogger().level = 'silent'
    const host = expect.stringMatching(/^(one|two)$/) as unknown
    expect(outcome).toMatchObject({ status: 'rejected', host })
    expect(failure(outcome?.status === 'rejected' ? outcome.reason : undefined)).toMatchObject({ host })
    expect(told).toMatchObject([{ task: 'fails', index: 0, host }])
    expect(warnings).toEqual([
      expect.stringMatching(/^\[(one|two)-[12]\] task 'fails' failed on item 0, on host '\1': RangeError: no 3$/),
    ])
  })

  it('names no host, if none has run it', async () => {
    const [outcome] = await imap(tasks.keep, [() => undefined], { errors: 'settle' }).toArray()
    expect(outcome).toMatchObject({ status: 'rejected', worker: 0 })
    expect(outcome).not.toHaveProperty('host')
  })

  it('names the host that cannot run its task', async () => {
    const missing = { module: url, export: 'secret' } as unknown as typeof tasks.double
    const error = await rejection(imap(missing, [1]).toArray())
    expect(failure(error)).toMatchObject({ index: 0, host: expect.stringMatching(/^(one|two)$/) as unknown })
    const { worker = 0 } = failure(error) ?? {}
    expect(remote.identify(worker).name).toMatch(/^(one|two)$/)
  })

  it('if it is tried again, and fails again', async () => {
    const retries = { attempts: 2, minDelay: 0 }
    const [outcome] = await imap(tasks.fails, [3], { errors: 'settle', retries }).toArray()
    expect(outcome).toMatchObject({ status: 'rejected', attempts: 2 })
  })

  it('if it ends its worker process', async () => {
    const outcomes = await imap(tasks.aborts, numbers.slice(0, 10), { errors: 'settle', chunksize: 10 }).toArray()
    const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome] : []))
    expect(failed.map(({ index, reason }) => [index, (reason as Error).name])).toEqual([[5, 'WorkerCrashError']])
  })

  it.each([
    ['it cannot be sent', () => undefined, 'ERR_NOT_SERIALIZABLE', /^Cannot send item 1 .*item is a function/],
    ['it holds what only threads share', new SharedArrayBuffer(8), 'ERR_NOT_SERIALIZABLE', /^Cannot send item 1 /],
    ['it is too large', 'x'.repeat(MAX_PAYLOAD), 'ERR_TOO_LARGE', /^Cannot send item 1 to another machine as /],
  ])('if %s', async (_, item, code, message) => {
    const outcomes = await imap(tasks.keep, ['a', item, 'c'], { errors: 'settle', chunksize: 3 }).toArray()
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: { code, message: expect.stringMatching(message) as string } })
  })

  it('if its result is too large', async () => {
    const outcomes = await imap(tasks.repeat, [1, MAX_PAYLOAD, 2], { errors: 'settle', chunksize: 3 }).toArray()
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: { code: 'ERR_TOO_LARGE' } })
  })

  it('not if only its chunk is too large', async () => {
    const items = numbers.map((n) => String(n).repeat(2_000))
    expect(await imap(tasks.keep, items, { chunksize: 100 }).toArray()).toEqual(items)
  })
})

describe('a stream on hosts', () => {
  it('ends what runs when it is left', async () => {
    for await (const n of imap(tasks.waits, numbers, { chunksize: 1, window: 8 })) {
      expect(n).toBe(0)
      break
    }
    await cluster.server.until(() => cluster.stored.every((count) => count === 0))
    expect(remote.producer.out).toBe(0)
  })

  it('fails where the task is an export that hosts do not allow', async () => {
    const outcomes = await imap({ module: url, export: 'exported' }, numbers, {
      errors: 'settle',
      chunksize: 1,
    }).toArray()
    const names = new Set(
      outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as Error).name : 'ok')),
    )
    // One of the hosts allows it.
    expect([...names].sort()).toEqual(['TaskLoadError', 'ok'])
  })

  it('refuses to move buffers', async () => {
    const transfer = (): ArrayBuffer[] => []
    expect(await rejection(imap(tasks.double, [1], { transfer }).toArray())).toMatchObject({
      code: 'ERR_INVALID_OPTION',
    })
  })

  it('counts and drops results that are not its own', async () => {
    const { producer } = remote
    await producer.hold()
    const subject = new Names(NAMES).result({ name: 'me', producer: producer.id })
    const { rejected } = producer.counts
    for (const junk of ['', 'junk', `\u0001\u0002${'x'.repeat(40)}`]) cluster.server.publish(subject, Buffer.from(junk))
    await until(() => producer.counts.rejected === rejected + 3)
    expect(await imap(tasks.double, [1]).toArray()).toEqual([2])
    await producer.release()
    await cluster.server.until(() => cluster.stored.every((count) => count === 0))
  })

  it('goes on when a host drains', async () => {
    const third = await cluster.host('three', url)
    const stream = imap(tasks.double, numbers, { chunksize: 1, window: 10 })
    const results: number[] = []
    for await (const result of stream) {
      results.push(result)
      if (results.length === 20) void third.drain(10_000)
    }
    expect(results).toEqual(numbers.map((n) => 2 * n))
  })

  it('ends when no host offers its module', async () => {
    const clock = new SimulatedTime()
    const lonely = new CalmCluster(clock)
    const broker = lonely.broker()
    const alone = lonely.executor({ broker, clock, patience: 10_000, version: '7' })
    const failed = rejection(verbsOn(alone).imap(tasks.double, [1]).toArray())
    expect(await clock.runUntil(failed, 60_000)).toBe(true)
    expect(await failed).toMatchObject({
      code: 'ERR_NO_HOSTS',
      message: expect.stringContaining('cluster-tasks.js@7') as string,
    })
    expect(clock.now()).toBeLessThan(15_000)
  })

  it('cannot be opened after close(), which waits for those that are open', async () => {
    const other = cluster.executor()
    const stream = verbsOn(other).imap(tasks.double, numbers, { window: 4, chunksize: 1 })
    await stream.next()
    let isClosed = false
    const closed = other.close().then(() => {
      isClosed = true
    })
    expect(() => verbsOn(other).imap(tasks.double, [1])).toThrow(/is closed/)
    await stream.next()
    expect(isClosed).toBe(false)
    expect(await stream.toArray()).toHaveLength(98)
    await closed
    const ended = verbsOn(remote).imap(tasks.waits, numbers, { window: 4, chunksize: 1 })
    await ended.next()
    const error = new Error('over')
    remote.producer.breakAll(error)
    expect(await rejection(ended.toArray())).toBe(error)
  })
})
