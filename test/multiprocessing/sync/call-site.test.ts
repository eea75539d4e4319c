/** The stack of an error of a wrong call begins with the user's line, not with lines of the library. */
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Pipe,
  Queue,
  RLock,
  Semaphore,
  SharedArray,
  Value,
} from 'millrace/multiprocessing'

const wrong = -1 as number
const closed = Pipe<number>()[0]
closed.close()

const CALLS: Record<string, () => unknown> = {
  'release() of a Lock that nobody holds': () => {
    new Lock().release()
  },
  'release() of an RLock that nobody holds': () => {
    new RLock().release()
  },
  'acquire() with a wrong timeout': () => new Lock().acquire(wrong),
  'acquire() with a wrong option': () => new RLock().acquire({ seconds: 1 } as object),
  'acquireSync() on the main thread': () => new Lock().acquireSync(),
  'withLock() without a function': () => new Lock().withLock(3 as never),
  'withLock() with a wrong timeout': () => new Semaphore().withLock(() => 1, wrong),
  'a Semaphore of a wrong value': () => new Semaphore(wrong),
  'a BoundedSemaphore of a wrong value': () => new BoundedSemaphore(wrong),
  'release() of a semaphore by a wrong number': () => {
    new Semaphore().release(wrong)
  },
  'release() of a bounded semaphore too often': () => {
    new BoundedSemaphore(1).release()
  },
  'a Condition without a lock': () => new Condition(3 as never),
  'wait() without the lock of the condition': () => new Condition().wait(),
  'waitFor() without the lock of the condition': () => new Condition().waitFor(() => true),
  'notify() without the lock of the condition': () => {
    new Condition().notify()
  },
  'notifyAll() without the lock of the condition': () => {
    new Condition().notifyAll()
  },
  'wait() for an event with a wrong timeout': () => new Event().wait(wrong),
  'waitSync() for an event on the main thread': () => new Event().waitSync(),
  'a Barrier of a wrong number': () => new Barrier(0),
  'wait() at a broken barrier': () => {
    const barrier = new Barrier(2)
    barrier.abort()
    return barrier.wait()
  },
  'a Queue of a wrong size': () => new Queue(wrong),
  'put() of a function': () => new Queue<unknown>().put(() => 1),
  'putNow() of a function': () => new Queue<unknown>().putNow(() => 1),
  'get() with a wrong timeout': () => new Queue().get(wrong),
  'taskDone() without a task': () => {
    new JoinableQueue().taskDone()
  },
  'join() of a queue with a wrong timeout': () => new JoinableQueue().join(wrong),
  'send() through a closed end': () => closed.send(1),
  'recv() from a closed end': () => closed.recv(),
  'poll() with a wrong timeout': () => Pipe()[0].poll(wrong),
  'a Value of no type': () => new Value('int33' as never),
  'the value of a Value': () => (new Value('int32').value = 'one' as never),
  'atomicAdd() of a fraction': () => new Value('int32').atomicAdd(0.5),
  'getLock() of a Value without one': () => new Value('int32', 0, { lock: false }).getLock(),
  'a SharedArray of a wrong size': () => new SharedArray('int32', wrong),
  'set() beyond a SharedArray': () => {
    new SharedArray('int32', 1).set([1, 2])
  },
  'atomicLoad() beyond a SharedArray': () => new SharedArray('int32', 1).atomicLoad(7),
}

async function stackOf(call: () => unknown): Promise<string[]> {
  try {
    await call()
  } catch (error) {
    return (error as Error).stack?.split('\n') ?? []
  }
  throw new Error('nothing was thrown')
}

it.each(Object.entries(CALLS))('%s', async (_, call) => {
  const [header, first] = await stackOf(call)
  expect(header).toMatch(/^\w+Error: Cannot /)
  expect(first).toContain('call-site.test.')
})

it('in a function that the library calls, its line is the first', async () => {
  const lock = new Lock()
  const stack = await stackOf(() =>
    lock.withLock((hold) => {
      hold.release()
      lock.release()
    }),
  )
  expect(stack[1]).toContain('call-site.test.')
})

it('a stack that is formatted in another way, or is not wanted, stays as it is', async () => {
  const errors = Error as unknown as { prepareStackTrace: unknown; stackTraceLimit: number }
  const { prepareStackTrace, stackTraceLimit } = errors
  try {
    errors.stackTraceLimit = 0
    expect(await stackOf(() => new Lock().acquire(wrong))).toHaveLength(1)
    errors.stackTraceLimit = 10
    errors.prepareStackTrace = () => 'formatted'
    expect(await stackOf(() => new Lock().acquire(wrong))).toEqual(['formatted'])
  } finally {
    Object.assign(errors, { prepareStackTrace, stackTraceLimit })
  }
  expect(errors.stackTraceLimit).toBe(stackTraceLimit)
})
