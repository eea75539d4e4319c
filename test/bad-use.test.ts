/**
 * Typical mistakes of people who know Python. Each gives an error that says what to do, by class, code and text. Types
 * that do not exist are in `multiprocessing/shared/value.test.ts` and `multiprocessing/shared/shared-array.test.ts`.
 * `start()` twice and `join()` before `start()` are in `multiprocessing/process.test.ts`.
 */
import { apply } from 'millrace'
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Process,
  Queue,
  QueueClosedError,
  RLock,
  Semaphore,
  SharedArray,
  SyncError,
  Value,
} from 'millrace/multiprocessing'
import { fill, release } from './fixtures/bad-use.js'

/** The error that a call throws or rejects with. */
async function thrown(use: () => unknown): Promise<unknown> {
  try {
    await use()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('bad use has a clear error:', () => {
  it('a closed queue', async () => {
    const queue = new Queue<number>()
    queue.close()
    const put = await thrown(() => queue.put(1))
    expect(put).toBeInstanceOf(QueueClosedError)
    expect(put).toMatchObject({
      code: 'ERR_QUEUE_CLOSED',
      message: 'Cannot put an item in a queue as it is closed: close it after the last put()',
    })
    const got = await thrown(() => queue.get())
    expect(got).toBeInstanceOf(QueueClosedError)
    expect(got).toMatchObject({
      code: 'ERR_QUEUE_CLOSED',
      message: "Cannot get an item of a queue as it is closed and empty: 'for await' ends there",
    })
  })

  it.each([
    ['a Queue', () => new Queue({ maxsize: 5 } as unknown as number), "'maxsize' must be an integer from 0"],
    ['a JoinableQueue', () => new JoinableQueue(null as unknown as number), "'maxsize' must be an integer from 0"],
    ['a Semaphore', () => new Semaphore({ value: 5 } as unknown as number), "'value' must be an integer from 0"],
    ['a BoundedSemaphore', () => new BoundedSemaphore([5] as unknown as number), "'value' must be an integer from 0"],
    ['a Barrier', () => new Barrier({ parties: 2 } as unknown as number), "'parties' must be an integer from 1"],
    ['a Lock', () => Reflect.construct(Lock, [true]) as unknown, 'Cannot make the Lock as its constructor takes no'],
    [
      'an RLock',
      () => Reflect.construct(RLock, [null]) as unknown,
      'Cannot make the RLock as its constructor takes no',
    ],
    ['an Event', () => Reflect.construct(Event, [{}]) as unknown, 'Cannot make the Event as its constructor takes no'],
    ['a Value', () => new Value(new Int32Array(9) as never), "its type must be one of 'int8' ('b')"],
  ])('%s made of a wrong argument', async (_, make, message) => {
    expect(await thrown(make)).toMatchObject({ name: 'TypeError', message: expect.stringContaining(message) as string })
  })

  it('an object that could not be made, of which no later end of a thread is told', async () => {
    await thrown(() => new Queue({ maxsize: 5 } as unknown as number))
    const child = new Process({ target: release, args: [new Semaphore(0)] })
    child.start()
    await child.join()
    expect(child.exitCode).toBe(0)
  })

  it('a lock released by another thread: the error names the holder', async () => {
    const lock = new Lock()
    using _ = await lock.acquire()
    const error = await thrown(() => apply(release, [lock]))
    expect(error).toBeInstanceOf(SyncError)
    expect(error).toMatchObject({
      code: 'ERR_NOT_OWNER',
      message: expect.stringMatching(
        /^Cannot release a lock as thread 0, not this one \(\d+\), holds it: only the thread that acquired it can do that$/,
      ) as string,
    })
    expect(lock.locked).toBe(true)
  })

  it.each([new Lock(), new RLock(), new Semaphore(), new Condition()])(
    'withLock() of no function (%s)',
    async (lock) => {
      expect(await thrown(() => lock.withLock(5 as never))).toMatchObject({
        name: 'TypeError',
        code: 'ERR_INVALID_OPTION',
        message: 'Cannot call withLock() as it takes a function: received 5',
      })
      // No thread has it any more.
      expect(await lock.acquire(0)).toBeDefined()
    },
  )

  it('a negative semaphore', async () => {
    for (const make of [() => new Semaphore(-1), () => new BoundedSemaphore(-1)]) {
      const error = await thrown(make)
      expect(error).toBeInstanceOf(RangeError)
      expect(error).toMatchObject({
        code: 'ERR_INVALID_OPTION',
        message: "Cannot make a semaphore as 'value' must be an integer from 0 to 2147483647: received -1",
      })
    }
  })

  it('a target that is not a task', async () => {
    const plain = await thrown(
      () =>
        new Process({
          target: function plain() {
            return 1
          },
        } as never),
    )
    expect(plain).toBeInstanceOf(TypeError)
    expect(plain).toMatchObject({
      code: 'ERR_INVALID_TASK',
      message:
        'Cannot make a process as a plain function cannot be found by another thread: received [Function: plain]. ' +
        "Write task(import.meta.url, 'name', (item) => …) at the top level of a module",
    })
    const text = await thrown(() => new Process({ target: 'plain' } as never))
    expect(text).toBeInstanceOf(TypeError)
    expect(text).toMatchObject({
      code: 'ERR_INVALID_TASK',
      message:
        "Cannot make a process as its task must be made by task(import.meta.url, …) or be { module, export: 'name' }: " +
        "received 'plain'",
    })
  })

  it('an array in the place of the type of a SharedArray, or of the number of a Value', async () => {
    const untyped = await thrown(() => new SharedArray([0, 0] as never, 2))
    expect(untyped).toBeInstanceOf(TypeError)
    expect(untyped).toMatchObject({
      code: 'ERR_INVALID_VALUE',
      message: expect.stringMatching(
        /received \[ 0, 0 \]; the type comes first, as in new SharedArray\('int32', \[ 0, 0 \]\)$/,
      ) as string,
    })
    const several = await thrown(() => new Value('int32', [0, 0] as never))
    expect(several).toBeInstanceOf(TypeError)
    expect(several).toMatchObject({
      code: 'ERR_INVALID_VALUE',
      message:
        'Cannot set a Value as its type int32 takes an integer from -2147483648 to 2147483647: received [ 0, 0 ]',
    })
  })
})

it('a plain array is a copy where it arrives, and a SharedArray is not', async () => {
  const plain = [0, 0]
  const typed = new Float64Array(2)
  const shared = new SharedArray('int32', 2)
  const one = new Process({ target: fill, args: [plain, typed, shared] })
  one.start()
  await one.join()
  expect([plain[0], typed[0], shared[0]]).toEqual([0, 0, 7])
})
