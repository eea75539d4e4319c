/** The lock of a `Value` or a `SharedArray`. Locks themselves: `lock.test.ts`. */
import { Pool } from 'millrace'
import { Lock, RLock, SharedArray, Value, type LockOptions } from 'millrace/multiprocessing'
import { addLocked } from '../../fixtures/values.js'

const makers: [string, (options?: LockOptions) => Value<'int32'> | SharedArray<'int32'>][] = [
  ['a Value', (options) => new Value('int32', 5, options)],
  ['a SharedArray', (options) => new SharedArray('int32', [5], options)],
]

describe.each(makers)('the lock of %s', (_, make) => {
  it('is a separate one, and always the same', () => {
    const one = make()
    expect(one.getLock()).toBeInstanceOf(Lock)
    expect(one.getLock()).toBe(one.getLock())
    expect(make({ lock: true }).getLock()).not.toBe(one.getLock())
    expect(make({ lock: undefined }).getLock()).toBeInstanceOf(Lock)
  })

  it.each([new Lock(), new RLock()])('is the one that it was given', (lock) => {
    expect(make({ lock }).getLock()).toBe(lock)
  })

  it('is not there with lock: false', () => {
    expect(() => make({ lock: false }).getLock()).toThrow(/as it was made without one: received { lock: false }$/)
    expect(Object.keys(make({ lock: false }))).toEqual(['memory'])
  })

  it('is a lock', () => {
    for (const lock of [1, 'yes', null, {}]) {
      expect(() => make({ lock: lock as never })).toThrow(
        /as 'lock' must be true, false, a Lock or an RLock: received /,
      )
    }
    expect(() => make({ lokc: true } as never)).toThrow(/has no option 'lokc'/)
  })
})

describe('the locks of a Value and a SharedArray', () => {
  it('cross with them, and keep threads apart', async () => {
    await using pool = new Pool({ workers: 4 })
    const lock = new Lock()
    const array = new SharedArray('int32', 2, { lock })
    const value = new Value('float64', 0.5)
    const items = Array.from({ length: 8 }, () => ({ array, value, times: 250 }))
    const locks = new Set<unknown>()
    for await (const result of pool.imap(addLocked, items, { chunksize: 1 })) locks.add(result.lock).add(result.array)
    expect([value.value, array.slice()]).toEqual([2000.5, [0, 2000]])
    expect(locks).toEqual(new Set([lock, array]))
    expect([lock.locked, value.getLock().locked]).toEqual([false, false])
  })
})
