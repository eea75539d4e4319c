/** Queues: on one thread, between many, and when threads end at any moment. */
import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { failure, imap, Pool } from 'millrace'
import { JoinableQueue, Lock, Queue, QueueClosedError, QueueEmptyError, QueueFullError } from 'millrace/multiprocessing'
import { randomOf } from '../../support/random.js'
import { reached } from '../../support/reached.js'
import { times } from '../../support/volume.js'
import * as fixtures from '../../fixtures/queues.js'
import { MOST, newBoard, READY, ROUNDS, start, STOP, type Board, type Item } from '../../fixtures/queues.js'

/** Settles when the worker has ended. A planned failure is not an error. */
function ended(worker: Worker): Promise<unknown> {
  worker.on('error', () => {})
  return new Promise((resolve) => worker.once('exit', resolve))
}

/** The number of threads that end at random moments. */
const DEATHS = times(8, 100)

/** Keeps four workers running until all have ended, most of them at random moments. */
async function manyDeaths(board: Board, begin: (number: number) => Worker): Promise<void> {
  const random = randomOf(9)
  const living = new Set<Worker>()
  let started = 0
  let deaths = 0
  const next = (): void => {
    const worker = begin(started++)
    living.add(worker)
    void ended(worker).then(() => {
      deaths++
      living.delete(worker)
      if (started < DEATHS) next()
    })
  }
  for (let n = 0; n < 4; n++) next()
  while (living.size > 0) {
    const rounds = Atomics.load(board.cells, ROUNDS)
    // If it is stuck, this never settles.
    await reached(board.cells, ROUNDS, rounds + 1 + Math.floor(random() * 100))
    await [...living][Math.floor(random() * living.size)]?.terminate()
    if (started === DEATHS) for (const worker of living) await worker.terminate()
  }
  expect(deaths).toBe(DEATHS)
}

describe('a queue on one thread', () => {
  it('gives items in the order in which they were put, as copies of any kind', async () => {
    const queue = new Queue<unknown>()
    const items = [
      undefined,
      null,
      0,
      1n,
      'text',
      [1, , 3],
      new Map([[1, new Set([2])]]),
      new Date(5),
      new Float64Array(3),
    ]
    for (const item of items) await queue.put(item)
    expect(queue.size).toBe(items.length)
    for (const item of items) expect(await queue.get()).toEqual(item)
    expect(queue.isEmpty).toBe(true)
  })

  it('gives errors with their classes and fields', async () => {
    const queue = new Queue<Error>()
    await queue.put(
      Object.assign(new RangeError('too far', { cause: new TypeError('why') }), { code: 'FAR', far: [1] }),
    )
    const error = await queue.get()
    expect(error).toBeInstanceOf(RangeError)
    expect(error).toMatchObject({ message: 'too far', code: 'FAR', far: [1], cause: { message: 'why' } })
  })

  it('serves calls that wait in their order', async () => {
    const queue = new Queue<number>(2)
    const got = [1, 2, 3, 4].map(() => queue.get())
    for (let n = 0; n < 4; n++) await queue.put(n)
    expect(await Promise.all(got)).toEqual([0, 1, 2, 3])
    const put = Array.from({ length: 50 }, (_, n) => queue.put(n))
    const all: number[] = []
    while (all.length < 50) all.push(await queue.get())
    await Promise.all(put)
    expect(all).toEqual(Array.from({ length: 50 }, (_, n) => n))
  })

  it('waits with put() while it is full', async () => {
    const queue = new Queue<number>(2)
    await queue.put(0)
    expect(queue.isFull).toBe(false)
    await queue.put(1)
    expect(queue.isFull).toBe(true)
    let isPut = false
    const third = queue.put(2).then(() => (isPut = true))
    await expect(queue.put(3, 20)).rejects.toBeInstanceOf(QueueFullError)
    expect([isPut, queue.size]).toEqual([false, 2])
    expect(await queue.get()).toBe(0)
    await third
    expect([await queue.get(), await queue.get(), queue.size]).toEqual([1, 2, 0])
  })

  it('throws when time is over, and does not lose an item', async () => {
    const queue = new Queue<number>(1)
    await expect(queue.get(10)).rejects.toBeInstanceOf(QueueEmptyError)
    await expect(queue.getNow()).rejects.toMatchObject({ code: 'ERR_QUEUE_EMPTY' })
    const [late, early] = [queue.get(), queue.get(10)]
    await expect(early).rejects.toBeInstanceOf(QueueEmptyError)
    await queue.put(1)
    expect(await late).toBe(1)
    await queue.putNow(2)
    await expect(queue.putNow(3)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' })
    expect(await queue.getNow()).toBe(2)
  })

  it('ends when it is closed, after the remaining items', async () => {
    const queue = new Queue<number>(2)
    await queue.put(1)
    await queue.put(2)
    const waiting = queue.put(3)
    queue.close()
    queue.close()
    await expect(waiting).rejects.toBeInstanceOf(QueueClosedError)
    await expect(queue.put(4)).rejects.toMatchObject({ code: 'ERR_QUEUE_CLOSED' })
    expect([await queue.get(), await queue.get(), queue.closed]).toEqual([1, 2, true])
    await expect(queue.get()).rejects.toBeInstanceOf(QueueClosedError)
    const empty = new Queue<number>()
    const [one, two] = [empty.get(), empty.get(10_000)]
    empty.close()
    await expect(one).rejects.toBeInstanceOf(QueueClosedError)
    await expect(two).rejects.toBeInstanceOf(QueueClosedError)
  })

  it('can be iterated, by several, until its end', async () => {
    const queue = new Queue<number>()
    const all: number[] = []
    const consumers = [1, 2, 3].map(async () => {
      for await (const n of queue) all.push(n)
    })
    for (let n = 0; n < 100; n++) await queue.put(n)
    queue.close()
    await Promise.all(consumers)
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n))
  })

  it('loses no item to an iteration that was ended while it waited', async () => {
    const queue = new Queue<number>()
    const iterator = queue[Symbol.asyncIterator]()
    const next = iterator.next()
    await iterator.return?.()
    expect(await next).toEqual({ done: true, value: undefined })
    await queue.put(1)
    expect(await queue.get()).toBe(1)
  })

  it('takes items up to maxBytes, as many as there is room for', async () => {
    const queue = new Queue<Uint8Array>(0, { maxBytes: 3_000_000 })
    const large = new Uint8Array(2_900_000).map((_, at) => at % 251)
    for (let n = 0; n < 10; n++) {
      await queue.put(large)
      await queue.put(large)
      const third = queue.put(large)
      await expect(queue.put(large, 10)).rejects.toBeInstanceOf(QueueFullError)
      for (let taken = 0; taken < 3; taken++) expect(Buffer.compare(await queue.get(), large)).toBe(0)
      await third
    }
    await expect(queue.put(new Uint8Array(3_000_000))).rejects.toThrow(
      "Cannot put an item in a queue as it takes 3000016 bytes: 'maxBytes' of the queue is 3000000",
    )
    expect(queue.size).toBe(0)
  })

  it.each([16, 100, 500, 3000])('keeps items through growing and wrapping around (%i bytes)', async (maxBytes) => {
    const random = randomOf(maxBytes)
    for (let round = 0; round < 20; round++) {
      const queue = new Queue<string>(0, { maxBytes })
      const model: string[] = []
      let full = 0
      for (let step = 0, n = 0; step < 400; step++) {
        // Fills and empties in turn.
        if (random() < (Math.floor(step / 60) % 2 === 0 ? 0.7 : 0.3)) {
          const item = `${n++}`.padEnd(random() * (maxBytes - 8), '.')
          const error = await queue.putNow(item).catch((reason: unknown) => reason)
          if (error === undefined) model.push(item)
          else if (error instanceof QueueFullError && model.length > 0) full++
          else throw error
        } else if (model.length > 0) {
          expect(await queue.getNow()).toBe(model.shift())
        }
        expect(queue.size).toBe(model.length)
      }
      expect(full).toBeGreaterThan(0)
    }
  })
})

describe('a queue that is used as it cannot be', () => {
  it.each([
    [{ on: () => 1 }, 'item.on is a function'],
    [{ lock: new Lock() }, 'it holds an object that threads share (Lock)'],
    [new Queue(), 'it holds an object that threads share (Queue)'],
    [[new SharedArrayBuffer(8)], 'it cannot be copied (#<SharedArrayBuffer> could not be cloned.)'],
    [new Int32Array(new SharedArrayBuffer(8)), 'it cannot be copied'],
  ])('refuses an item that cannot be copied', async (item, reason) => {
    const queue = new Queue<unknown>()
    await expect(queue.put(item)).rejects.toMatchObject({
      code: 'ERR_NOT_SERIALIZABLE',
      message: expect.stringContaining(`Cannot put an item in a queue as ${reason}`) as unknown,
    })
    expect(queue.size).toBe(0)
  })

  it.each<[() => unknown, string]>([
    [() => new Queue(-1), "Cannot make a queue as 'maxsize' must be an integer from 0 to 2147483647: received -1"],
    [
      () => new Queue(0, { maxBytes: 0 }),
      "Cannot make a queue as 'maxBytes' must be an integer from 1 to 1073741824: received 0",
    ],
    [
      () => new Queue(0, { max: 0 } as object),
      "Cannot make a queue as it has no option 'max': the options are maxBytes",
    ],
    [
      () => new Queue().put(1, -1),
      "Cannot put an item in a queue as 'timeout' must be a number of milliseconds of at least 0, or Infinity: received -1",
    ],
    [
      () => new Queue().getSync(),
      'Cannot get an item of a queue synchronously on the main thread as that would stop its event loop: await get() instead',
    ],
    [
      () => {
        new Queue().putSync(1)
      },
      'Cannot put an item in a queue synchronously on the main thread as that would stop its event loop: await put() instead',
    ],
    [
      () => {
        new JoinableQueue().taskDone()
      },
      'Cannot call taskDone() as all items are done',
    ],
    [
      () => new JoinableQueue().joinSync(),
      'Cannot join a queue synchronously on the main thread as that would stop its event loop: await join() instead',
    ],
  ])('says why', async (use, message) => {
    await expect((async () => use())()).rejects.toThrow(message)
  })
})

describe('a queue between threads', () => {
  it('is a source for imap(), filled by the tasks of a pool', async () => {
    await using pool = new Pool({ workers: 2 })
    const queue = new Queue<number>(3)
    const ranges = [0, 100, 200, 300].map((from) => ({ from, to: from + 100, queue }))
    const filling = (async () => {
      for await (const _ of pool.imapUnordered(fixtures.putRange, ranges, { chunksize: 1 }));
      queue.close()
    })()
    let sum = 0
    for await (const n of imap(fixtures.double, queue)) sum += n
    await filling
    expect(sum).toBe(400 * 399)
  })

  it('is emptied by tasks, each of which gets its own items', async () => {
    const queue = new Queue<number>(5)
    const sums = (async () => {
      let total = 0
      for await (const sum of imap(fixtures.sumUp, [queue, queue], { chunksize: 1, concurrency: 2 })) total += sum
      return total
    })()
    for (let n = 0; n < 1000; n++) await queue.put(n)
    queue.close()
    expect(await sums).toBe(499_500)
  })

  it('has synchronous forms in workers', async () => {
    const queue = new Queue<number>(5)
    const sum = imap(fixtures.sumUpSync, [{ queue, count: 1000 }])
      [Symbol.asyncIterator]()
      .next()
    for (let n = 0; n < 1000; n++) await queue.put(n)
    expect((await sum).value).toBe(499_500)
  })

  it('gives the task an error if an item cannot be put', async () => {
    const queue = new Queue<number>()
    queue.close()
    const next = imap(fixtures.putRange, [{ from: 0, to: 1, queue }])
      [Symbol.asyncIterator]()
      .next()
    const error: unknown = await next.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ERR_QUEUE_CLOSED' })
    expect(failure(error)?.index).toBe(0)
  })

  it.each([0, 1, 7])('gives each item once, those of a producer in order (maxsize %i)', async (maxsize) => {
    const queue = new Queue<Item>(maxsize)
    const board = newBoard(4)
    const limit = 300
    const producers = [0, 1, 2, 3].map((producer) =>
      start(queue, board, { do: 'produce', producer, sync: producer % 2 === 0, limit }),
    )
    const consumers = [5, 6].map((seed) => start(queue, board, { do: 'consume', sync: seed === 5, seed }))
    const echo = start(queue, board, { do: 'echo' })
    const numbers: number[][] = [[], [], [], []]
    echo.on('message', ([producer, number]: Item) => {
      numbers[producer]?.push(number)
      Atomics.add(board.got, producer * MOST + number, 1)
    })
    const ends = [...consumers, echo].map((worker) => once(worker, 'exit'))
    await Promise.all(producers.map((worker) => once(worker, 'exit')))
    queue.close()
    await Promise.all(ends)
    for (const own of numbers) expect(own).toEqual([...own].sort((a, b) => a - b))
    for (let producer = 0; producer < 4; producer++) {
      const got = board.got.slice(producer * MOST, producer * MOST + limit + 1)
      expect([...got]).toEqual([...new Array<number>(limit).fill(1), 0])
    }
  })

  it('can be joined when all its items are done', async () => {
    const queue = new JoinableQueue<number>()
    expect(await queue.join()).toBe(true)
    for (let n = 0; n < 100; n++) await queue.put(n)
    expect([await queue.join(10), queue.unfinished]).toEqual([false, 100])
    const done = (async () => {
      let total = 0
      for await (const n of imap(fixtures.work, [queue, queue], { chunksize: 1, concurrency: 2 })) total += n
      return total
    })()
    expect([await queue.join(), queue.unfinished, queue.size]).toEqual([true, 0, 0])
    queue.close()
    expect(await done).toBe(100)
  })
})

describe('a queue whose threads end at any moment', () => {
  it.each([0, 3])('keeps what producers had put, each once and in order (maxsize %i)', async (maxsize) => {
    const queue = new Queue<Item>(maxsize)
    const board = newBoard(DEATHS)
    const counts = new Int32Array(DEATHS)
    const wrong: Item[] = []
    const consumer = (async () => {
      for await (const [producer, number, text] of queue) {
        if (number === counts[producer]) counts[producer] = number + 1
        else wrong.push([producer, number, text])
        // An item that is there is got at once, without a turn of the event loop. Ends need such a turn.
        if (number % 50 === 0) await new Promise(setImmediate)
      }
    })()
    await manyDeaths(board, (producer) =>
      start(queue, board, { do: 'produce', producer, sync: producer % 2 === 0, limit: 5000 }),
    )
    await queue.put([0, counts[0] ?? 0, ''], 30_000)
    queue.close()
    await consumer
    expect(wrong).toEqual([])
    // Some ended after they put an item, and before they counted it.
    for (let producer = 1; producer < DEATHS; producer++) {
      expect([0, 1]).toContain((counts[producer] ?? 0) - (board.put[producer] ?? 0))
    }
  })

  it('loses only items that consumers had got', async () => {
    const queue = new Queue<Item>(10)
    const board = newBoard(1)
    let put = 0
    let over = false
    const producer = (async () => {
      while (!over) await queue.put([0, put++, 'x'.repeat(put % 100)])
    })()
    await manyDeaths(board, (seed) => start(queue, board, { do: 'consume', sync: seed % 2 === 0, seed }))
    over = true
    let left = 0
    const rest = (async () => {
      for await (const [, number] of queue) {
        Atomics.add(board.got, number, 1)
        left++
      }
    })()
    await producer
    queue.close()
    await rest
    const got = board.got.slice(0, put)
    expect(got.filter((times) => times > 1)).toHaveLength(0)
    expect(got.filter((times) => times === 0).length).toBeLessThanOrEqual(DEATHS)
    expect(left).toBeLessThanOrEqual(11)
    expect(queue.size).toBe(0)
  })

  it.each([
    ['get', true],
    ['get', false],
    ['put', true],
    ['put', false],
  ] as const)('passes over one that waited (%s, synchronously: %s)', async (what, sync) => {
    const queue = new Queue<Item>(1)
    if (what === 'put') await queue.put([1, 1, ''])
    const board = newBoard(1)
    const worker = start(queue, board, { do: 'wait', what, sync })
    await reached(board.cells, READY, 1)
    const end = ended(worker)
    const mine = what === 'get' ? queue.get() : queue.put([2, 2, ''])
    await worker.terminate()
    await end
    if (what === 'get') await queue.put([1, 1, ''], 30_000)
    else expect(await queue.get(30_000)).toEqual([1, 1, ''])
    await mine
    expect(queue.size).toBe(what === 'get' ? 0 : 1)
    Atomics.store(board.cells, STOP, 1)
  })
})

describe('return() of an iterator', () => {
  it('settles its next() also behind other calls of the thread, and takes no item', async () => {
    const queue = new Queue<number>()
    const first = queue.get()
    const [one, other] = [queue[Symbol.asyncIterator](), queue[Symbol.asyncIterator]()]
    const [early, late, later] = [one.next(), other.next(), other.next()]
    await other.return?.()
    expect(await Promise.all([late, later])).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ])
    await queue.put(1)
    await queue.put(2)
    await queue.put(3)
    expect([await first, await early, queue.size]).toEqual([1, { done: false, value: 2 }, 1])
  })

  it('settles the next() that is first in line, also if an item comes at the same time', async () => {
    const queue = new Queue<number>()
    const iterator = queue[Symbol.asyncIterator]()
    const next = iterator.next()
    void queue.put(1)
    void iterator.return?.()
    expect([await next, await queue.get(0)]).toEqual([{ done: true, value: undefined }, 1])
  })
})
