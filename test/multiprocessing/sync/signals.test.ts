/** `timeout` and `signal` of every call that waits. */
import { getEventListeners } from 'node:events'
import { isMainThread } from 'millrace'
import {
  Barrier,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Pipe,
  Process,
  Queue,
  Semaphore,
  SyncError,
  type WaitOptions,
} from 'millrace/multiprocessing'
import { wait as waitAtGate } from '../../fixtures/processes.js'

type Waits = (options: WaitOptions) => Promise<unknown>

interface Case {
  /** The call, on an object for which it must wait. */
  readonly wait: Waits
  readonly sync?: ((options: WaitOptions) => unknown) | undefined
  /** Checks that nothing was taken, and that the queue is empty. */
  readonly after: () => Promise<void>
  readonly end?: () => unknown
  readonly isAlone?: boolean
}

async function held(lock: Lock | Semaphore | Condition): Promise<Case> {
  const hold = await lock.acquire()
  return {
    wait: (options) => lock.acquire(options),
    sync: (options) => lock.acquireSync(options),
    after: async () => {
      hold.release()
      // If the call had taken it, or were still in the queue, this would wait.
      expect(await lock.acquire(0)).toBeDefined()
    },
  }
}

const CASES: Record<string, () => Case | Promise<Case>> = {
  'Lock.acquire': () => held(new Lock()),
  'Semaphore.acquire': () => held(new Semaphore(1)),
  'Condition.acquire': () => held(new Condition()),
  'Lock.withLock': async () => {
    const lock = new Lock()
    const { after } = await held(lock)
    const never = (): void => {
      throw new Error('called')
    }
    return { wait: (options) => lock.withLock(never, options), after }
  },
  'Event.wait': () => {
    const event = new Event()
    return {
      wait: (options) => event.wait(options),
      sync: (options) => event.waitSync(options),
      after: async () => {
        event.set()
        expect(await event.wait()).toBe(true)
      },
    }
  },
  'Condition.wait': async () => {
    const condition = new Condition()
    await condition.acquire()
    return {
      isAlone: true,
      wait: (options) => condition.wait(options),
      sync: (options) => condition.waitSync(options),
      after: async () => {
        // It has the lock again, and has not used up a notification.
        const other = condition.wait()
        await condition.withLock(() => {
          condition.notify()
        })
        expect(await other).toBe(true)
        condition.release()
      },
    }
  },
  'Condition.waitFor': async () => {
    const condition = new Condition()
    await condition.acquire()
    return {
      isAlone: true,
      wait: (options) => condition.waitFor(() => false, options),
      sync: (options) => condition.waitForSync(() => false, options),
      after: () => {
        condition.release()
        return Promise.resolve()
      },
    }
  },
  'Barrier.wait': () => {
    const barrier = new Barrier(2)
    return {
      isAlone: true,
      wait: (options) => barrier.wait(options),
      sync: (options) => barrier.waitSync(options),
      after: async () => {
        barrier.reset()
        expect(await Promise.all([barrier.wait(), barrier.wait()])).toEqual([0, 1])
      },
    }
  },
  'Queue.get': () => {
    const queue = new Queue<number>()
    return {
      wait: (options) => queue.get(options),
      sync: (options) => queue.getSync(options),
      after: async () => {
        await queue.put(1)
        expect([await queue.get(0), queue.size]).toEqual([1, 0])
      },
    }
  },
  'Queue.put': async () => {
    const queue = new Queue<number>(1)
    await queue.put(1)
    return {
      wait: (options) => queue.put(2, options),
      sync: (options) => {
        queue.putSync(2, options)
      },
      after: async () => {
        expect([await queue.get(), queue.size]).toEqual([1, 0])
        await queue.put(3, 0)
        expect(await queue.get()).toBe(3)
      },
    }
  },
  'JoinableQueue.join': async () => {
    const queue = new JoinableQueue<number>()
    await queue.put(1)
    return {
      wait: (options) => queue.join(options),
      sync: (options) => queue.joinSync(options),
      after: async () => {
        queue.taskDone()
        expect(await queue.join()).toBe(true)
      },
    }
  },
  'Connection.recv': () => {
    const [here, there] = Pipe<number>()
    return {
      wait: (options) => here.recv(options),
      sync: (options) => here.recvSync(options),
      after: async () => {
        await there.send(1)
        expect(await here.recv(0)).toBe(1)
      },
    }
  },
  'Connection.poll': () => {
    const [here, there] = Pipe<number>()
    return {
      wait: (options) => here.poll(isPlain(options) ? { timeout: Infinity, ...options } : options),
      sync: (options) => here.pollSync(options),
      after: async () => {
        await there.send(1)
        expect(await here.poll()).toBe(true)
      },
    }
  },
  'Process.join': () => {
    const one = new Process({ target: waitAtGate, args: [new Int32Array(new SharedArrayBuffer(16))], daemon: true })
    one.start()
    return {
      wait: (options) => one.join(options),
      after: () => {
        expect(one.exitCode).toBe(null)
        return Promise.resolve()
      },
      end: () => one.terminate(),
    }
  },
}

describe.each(Object.entries(CASES))('%s', (_, make) => {
  it('rejects with the reason of a signal that fires, and has not taken anything', async () => {
    const { wait, after, end, isAlone = false } = await make()
    const controller = new AbortController()
    const { signal } = controller
    const reason = Symbol('the reason')
    const calls = [wait({ signal, timeout: 60_000 })]
    // For some objects, a second call would not wait.
    if (!isAlone) calls.push(wait({ signal }))
    const settled = Promise.allSettled(calls)
    await new Promise(setImmediate)
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    controller.abort(reason)
    for (const result of await settled) expect(result).toEqual({ status: 'rejected', reason })
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    await after()
    await end?.()
  })

  it('rejects at once if it has fired, and has not taken anything', async () => {
    const { wait, after, end } = await make()
    const reason = { an: 'object' }
    const signal = AbortSignal.abort(reason)
    const [result] = await Promise.allSettled([wait({ signal })])
    expect(result).toEqual({ status: 'rejected', reason })
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    await after()
    await end?.()
  })

  it('refuses wrong timeouts and signals', async () => {
    const { wait, sync, end } = await make()
    const refused: unknown[] = [-1, NaN, '5', null, new AbortController(), AbortSignal.abort(), [], () => 1]
    refused.push({ timeout: -1 }, { timeout: '5' }, { signal: {} }, { signal: new AbortController() }, { timout: 5 })
    for (const options of refused) {
      await expect(wait(options as WaitOptions)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
    }
    const controller = new AbortController()
    const { signal } = controller
    for (const [given, cure] of [
      [signal, '(a signal: pass { signal })'],
      [controller, '(pass { signal: controller.signal })'],
      [{ signal: controller }, '(pass its .signal)'],
    ] as const) {
      const message: unknown = expect.stringContaining(cure)
      await expect(wait(given as WaitOptions)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', message })
    }
    if (sync !== undefined) {
      expect(() => sync({ signal })).toThrow(/with a signal as it cannot fire while the thread is blocked/)
      expect(isMainThread && (() => sync({ timeout: 0 }))).toThrow(SyncError)
    }
    await end?.()
  })
})

function isPlain(options: unknown): options is WaitOptions {
  return typeof options === 'object' && options !== null && Object.getPrototypeOf(options) === Object.prototype
}

it('a signal of many calls does not warn, and takes each of them out of the queue', async () => {
  const lock = new Lock()
  const hold = await lock.acquire()
  const controller = new AbortController()
  const warnings: Error[] = []
  const note = (warning: Error): unknown => warnings.push(warning)
  process.on('warning', note)
  const early = Array.from({ length: 100 }, () => lock.acquire({ signal: controller.signal }))
  const late = lock.acquire()
  controller.abort()
  const results = await Promise.allSettled(early)
  expect(results.every(({ status }) => status === 'rejected')).toBe(true)
  hold.release()
  ;(await late).release()
  await new Promise(setImmediate)
  process.off('warning', note)
  expect([warnings, lock.locked]).toEqual([[], false])
})

it('withLock() says so when its time is over', async () => {
  const lock = new Lock()
  await lock.acquire()
  await expect(lock.withLock(() => 1, 5)).rejects.toMatchObject({ code: 'ERR_WAIT_TIMEOUT' })
  lock.release()
  expect(await lock.withLock(() => 1, { timeout: 0 })).toBe(1)
})
