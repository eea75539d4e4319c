/**
 * The option `transfer`: buffers of items are moved to the workers. Moved buffers are not lost without an error, and
 * are never sent empty.
 */
import { failure, imap, NotSerializableError, Pool, TaskTimeoutError, WorkerCrashError, type Outcome } from 'millrace'
import { Process } from 'millrace/multiprocessing'
import { tell } from '../fixtures/dies-once-module.js'
import {
  add,
  giveCells,
  isEven,
  LENGTH,
  moved,
  noteSum,
  pixelsOf,
  same,
  sum,
  sumWith,
  twice,
  type Order,
  type Pixels,
} from '../fixtures/transfers.js'
import { ascending, rejection } from '../support/matrix.js'

const pool = new Pool({ workers: 2, name: 'mover' })
afterAll(() => pool.terminate())

const transfer = ({ pixels }: Pixels): ArrayBuffer[] => [pixels.buffer]

function items(count: number, how?: (n: number) => Order['how']): Order[] {
  return ascending(count).map((n) => ({ ...pixelsOf(n), how: how?.(n) }))
}

function isMoved({ pixels }: Pixels): boolean {
  return pixels.length === 0
}

function numeric(some: readonly number[]): number[] {
  return [...some].sort((a, b) => a - b)
}

async function* later<T>(all: readonly T[]): AsyncGenerator<T> {
  for (const one of all) {
    await Promise.resolve()
    yield one
  }
}

describe('buffers of items are moved', () => {
  const sums = ascending(20).map((n) => 2 * n)

  it.each([
    ['map', (all: Order[]) => pool.map(sum, all, { transfer })],
    ['imap', (all: Order[]) => pool.imap(sum, all, { transfer }).toArray()],
    ['imap of an async iterable', (all: Order[]) => pool.imap(sum, later(all), { transfer }).toArray()],
    ['imap with a window of 1', (all: Order[]) => pool.imap(sum, all, { transfer, window: 1 }).toArray()],
    ['imapUnordered', async (all: Order[]) => numeric(await pool.imapUnordered(sum, all, { transfer }).toArray())],
    ['imap of one worker', (all: Order[]) => pool.imap(sum, all, { transfer, workers: 1, chunksize: 1 }).toArray()],
    ['imap with a timeout', (all: Order[]) => pool.imap(sum, all, { transfer, timeout: 60_000 }).toArray()],
  ])('and arrive with their contents: %s', async (_, run) => {
    const all = items(20)
    expect(await run(all)).toEqual(sums)
    expect(all.every(isMoved)).toBe(true)
  })

  it('and arrive with their contents: the other verbs', async () => {
    let all = items(6)
    const kept = await pool.filter(isEven, all, { transfer }).toArray()
    expect(kept.map(({ n, pixels }) => [n, pixels.length])).toEqual([0, 2, 4].map((n) => [n, LENGTH]))
    expect(all.every(isMoved)).toBe(true)
    all = items(3)
    expect(await pool.flatMap(twice, all, { transfer }).toArray()).toEqual([0, 0, 2, 2, 4, 4])
    expect(all.every(isMoved)).toBe(true)
    all = items(20)
    const merge = (into: number, partial: number): number => into + partial
    expect(await pool.reduce(add, all, { initial: 0, merge, transfer })).toBe(380)
    expect(all.every(isMoved)).toBe(true)
    all = items(3)
    const pairs = all.map((item) => [item, 100] as const)
    const transferFirst = ([item]: readonly [Pixels, number]): ArrayBuffer[] => [item.pixels.buffer]
    expect(await pool.starmap(sumWith, pairs, { transfer: transferFirst })).toEqual([100, 102, 104])
    expect(all.every(isMoved)).toBe(true)
  })

  it('of the arguments of a call', async () => {
    const item = pixelsOf(4)
    expect(await pool.apply(sumWith, [item, 1], { transfer: [item.pixels.buffer] })).toBe(9)
    expect(isMoved(item)).toBe(true)
  })

  it('of the arguments of a process', async () => {
    const item = pixelsOf(4)
    const cells = new Int32Array(new SharedArrayBuffer(4))
    await using process = new Process({ target: noteSum, args: [cells, item], transfer: [item.pixels.buffer] })
    expect(isMoved(item)).toBe(false)
    process.start()
    expect(isMoved(item)).toBe(true)
    await process.join()
    expect(cells[0]).toBe(8)
  })

  it('of results of another stage, also of many that came together', async () => {
    for (const chunksize of [1, 60] as const) {
      const stage = pool.imap(sum, { transfer })
      expect(await stage(pool.imap(moved, ascending(120), { chunksize })).toArray()).toEqual(
        ascending(120).map((n) => 2 * n),
      )
    }
  })

  it('and come back by transfer() or as copies', async () => {
    const [one] = await pool.map(same, [pixelsOf(3)], { transfer })
    expect([one?.pixels.length, one?.pixels[0]]).toEqual([LENGTH, 3])
  })

  it('only as far as the list goes', async () => {
    const all = items(4)
    const odd = (item: Pixels): ArrayBuffer[] => (item.n % 2 === 1 ? transfer(item) : [])
    expect(await pool.map(sum, all, { transfer: odd })).toEqual([0, 2, 4, 6])
    expect(all.map(isMoved)).toEqual([false, true, false, true])
  })

  it('when they are sent, and not before', async () => {
    const all = items(2)
    const stream = pool.imap(sum, all, { transfer, window: 1 })
    expect(all.map(isMoved)).toEqual([false, false])
    await stream.next()
    expect(isMoved(all[0])).toBe(true)
    await stream.return()
    expect(isMoved(all[1])).toBe(false)
  })

  it('not on this thread, where the option is not asked', async () => {
    const all = items(3)
    const never = (): never => {
      throw new Error('was asked')
    }
    const sums = await imap((item: Order) => item.pixels.length, all, {
      workers: 0,
      transfer: never,
      concurrency: 3,
    }).toArray()
    expect(sums).toEqual([LENGTH, LENGTH, LENGTH])
    expect(all.some(isMoved)).toBe(false)
  })
})

describe('an item whose buffers cannot be moved fails alone', () => {
  const common = pixelsOf(1)
  const detached = new ArrayBuffer(8)
  structuredClone(0, { transfer: [detached] })

  it.each<[string, (item: Pixels) => unknown, RegExp]>([
    [
      'that throws',
      () => JSON.parse('{') as unknown,
      /^Cannot send item 1 to a worker as the option 'transfer' threw SyntaxError/,
    ],
    ['that returns nothing', () => undefined, / must be an array: received undefined: list them/],
    [
      'of a view',
      ({ pixels }) => [pixels],
      / number 0 .* must be an ArrayBuffer: received Uint8Array.*list its buffer/,
    ],
    ['of shared memory', () => [new SharedArrayBuffer(4)], / is a SharedArrayBuffer: leave it out/],
    ['of a detached buffer', () => [detached], / is detached: it was moved before: give each value its own buffers/],
    ['with a buffer twice', ({ pixels }) => [pixels.buffer, pixels.buffer], / number 1 .* is listed twice: list each/],
    ["of Node's pool", () => [Buffer.from('x').buffer], / cannot be moved: .* pool.*: copy the bytes/],
  ])('for a list %s', async (_, list, message) => {
    const all = items(4)
    const asked = (item: Pixels): ArrayBuffer[] => (item.n === 1 ? (list(item) as ArrayBuffer[]) : transfer(item))
    const outcomes = await pool.map(sum, all, { errors: 'settle', transfer: asked })
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'rejected'))).toEqual([
      0,
      'rejected',
      4,
      6,
    ])
    const { reason } = outcomes[1] as Outcome<unknown, unknown> & { readonly status: 'rejected' }
    expect(reason).toBeInstanceOf(NotSerializableError)
    expect((reason as Error).message).toMatch(message)
    expect(all.map(isMoved)).toEqual([true, false, true, true])
  })

  it('for a buffer that an item before it had', async () => {
    const outcomes = await pool.map(sum, [{ ...common }, { ...common }, pixelsOf(2)], { errors: 'settle', transfer })
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('where another part of it cannot be sent, and its buffers stay', async () => {
    const bad = { ...pixelsOf(1), handle: () => 5 }
    const outcomes = await pool.map(sum, [pixelsOf(0), bad, pixelsOf(2)], { errors: 'settle', transfer })
    const { reason } = outcomes[1] as Outcome<unknown, unknown> & { readonly status: 'rejected' }
    expect((reason as Error).message).toMatch(/^Cannot send item 1 to a worker as item.handle is a function/)
    expect(isMoved(bad)).toBe(false)
  })
})

describe('options that do not go with it throw at the call', () => {
  it.each<[object, RegExp]>([
    [
      { transfer, retries: 2 },
      /'retries' must be 0 with 'transfer', because moved buffers cannot be sent again: received 2$/,
    ],
    [{ transfer, retries: { attempts: 2 } }, /'retries' must be 0 with 'transfer'/],
    [{ transfer, chunksize: 2 }, /'chunksize' must be 1 with 'transfer'.*: received 2$/],
    [{ transfer, concurrency: 4 }, /'concurrency' must be 1 with 'transfer'.*: received 4$/],
    [{ transfer: [new ArrayBuffer(1)] }, /'transfer' must be a function.*: received \[.*\] \(as in \(item\) =>/],
    [{ transfer: 5 }, /'transfer' must be a function from an item to an array of its ArrayBuffers: received 5/],
  ])('%p', (options, message) => {
    for (const call of [() => pool.imap(sum, [], options), () => pool.map(sum, [], options)]) {
      expect(call).toThrow(message)
      expect(call).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }) as Error)
    }
  })

  it('of a call and of a process', () => {
    const item = pixelsOf(1)
    const view = item.pixels as never
    for (const [options, message] of [
      [{ transfer }, /'transfer' must be an array: received/],
      [{ transfer: [view] }, /must be an ArrayBuffer: received Uint8Array/],
      [{ transfer: [item.pixels.buffer], retries: 1 }, /'retries' must be 0/],
    ] as const) {
      expect(() => pool.apply(sum, [item], options as never)).toThrow(message)
    }
    expect(() => new Process({ target: sum, args: [item], transfer: [view] })).toThrow(/must be an ArrayBuffer/)
  })

  it('but no retries are fine', async () => {
    expect(await pool.map(sum, items(2), { transfer, retries: 0, chunksize: 1, concurrency: 1 })).toEqual([0, 2])
  })
})

describe('a worker that ends', () => {
  const faulty = (n: number): Order['how'] => (n % 5 === 3 ? 'exit' : n % 5 === 1 ? 'throw' : undefined)

  it.each(['imap', 'imapUnordered'] as const)('while an item runs costs that item alone: %s', async (verb) => {
    const outcomes = await pool[verb](sum, items(20, faulty), { transfer, errors: 'settle' }).toArray()
    for (const outcome of outcomes) {
      const { index } = outcome
      if (outcome.status === 'fulfilled') expect([index, outcome.value]).toEqual([index, 2 * index])
      else {
        const type = faulty(index) === 'exit' ? WorkerCrashError : RangeError
        expect([index, outcome.reason]).toEqual([index, expect.any(type)])
      }
    }
    const failed = outcomes.flatMap(({ status, index }) => (status === 'rejected' ? [index] : []))
    expect(numeric(failed)).toEqual([1, 3, 6, 8, 11, 13, 16, 18])
    expect(new Set(outcomes.map(({ index }) => index)).size).toBe(20)
  })

  it('does not affect other streams', async () => {
    const plain = pool.map(sum, items(200))
    const exits = pool.map(
      sum,
      items(10, () => 'exit'),
      { transfer, errors: 'settle' },
    )
    expect((await exits).map(({ status }) => status)).toEqual(new Array(10).fill('rejected'))
    expect(await plain).toEqual(ascending(200).map((n) => 2 * (n % 256)))
  })

  it('costs its item in a fold, too', async () => {
    const merge = (into: number, partial: number): number => into + partial
    const all = (): Order[] => items(10, (n) => (n === 4 ? 'exit' : undefined))
    expect(await pool.reduce(add, all(), { initial: 0, merge, transfer, errors: 'skip' })).toBe(90 - 8)
    expect(await rejection(pool.reduce(add, all(), { initial: 0, merge, transfer }))).toBeInstanceOf(WorkerCrashError)
  })

  it('as its item takes too long costs that item alone', async () => {
    const all = items(6, (n) => (n === 2 ? 'loop' : undefined))
    const outcomes = await pool.map(sum, all, { transfer, timeout: 200, errors: 'settle' })
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([true, true, false, true, true, true])
    expect((outcomes[2] as { reason?: unknown }).reason).toBeInstanceOf(TaskTimeoutError)
  })

  it('before the item begins fails it with an error that says so', async () => {
    const cells = new Int32Array(new SharedArrayBuffer(4))
    const single = new Pool({ workers: 1, name: 'single', initializer: giveCells, initargs: [cells] })
    try {
      const outcomes = await single.map(tell, items(4), { transfer, errors: 'settle' })
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled'])
      const [{ reason }] = outcomes as unknown as [{ readonly reason: WorkerCrashError }]
      expect(reason).toBeInstanceOf(WorkerCrashError)
      expect(reason.exitCode).toBe(9)
      expect(reason.message).toBe(
        "Cannot run item 0 of task 'tell' on another worker as its buffers were moved to a worker that ended with exit code 9 before it began the item: make the item again, or omit the option 'transfer'",
      )
    } finally {
      await single.terminate()
    }
  })

  it('before the item begins sends it again where nothing was moved', async () => {
    const cells = new Int32Array(new SharedArrayBuffer(4))
    const single = new Pool({ workers: 1, initializer: giveCells, initargs: [cells] })
    try {
      expect(await single.map(tell, items(4), { transfer: () => [] })).toEqual([0, 1, 2, 3])
    } finally {
      await single.terminate()
    }
  })

  it('tells the item, whose buffers are gone', async () => {
    const all = items(3, (n) => (n === 1 ? 'exit' : undefined))
    const error = await rejection(pool.imap(sum, all, { transfer }).toArray())
    expect(failure(error)).toMatchObject({ index: 1, attempts: 1, item: all[1] })
    expect(isMoved(failure(error)?.item as Pixels)).toBe(true)
  })
})

it('an abort by the option itself ends the stream', async () => {
  const controller = new AbortController()
  const asked = (item: Pixels): ArrayBuffer[] => {
    if (item.n === 2) controller.abort(new Error('enough'))
    return transfer(item)
  }
  const stream = pool.imap(sum, items(5), { transfer: asked, signal: controller.signal })
  expect(await rejection(stream.toArray())).toMatchObject({ message: 'enough' })
  expect(await pool.map(sum, items(2))).toEqual([0, 2])
})
