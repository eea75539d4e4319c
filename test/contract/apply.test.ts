/** `apply`: one call of a task. */
import { getEventListeners } from 'node:events'
import {
  apply,
  failure,
  NotSerializableError,
  Pool,
  PoolClosedError,
  TaskLoadError,
  TaskTimeoutError,
  WorkerCrashError,
} from 'millrace'
import {
  failing,
  gatedPair,
  greet,
  hangs,
  misbehave,
  multiply,
  received,
  triedPair,
} from '../fixtures/contract-calls.js'
import { double } from '../fixtures/contract-b-tasks.js'
import { Gates, turns } from '../support/gates.js'
import { ascending, rejection } from '../support/matrix.js'
import { watchRejections } from '../support/rejections.js'
import { Tries } from '../support/tries.js'

const pool = new Pool({ workers: 2, name: 'apply' })

watchRejections()
afterAll(() => pool.terminate())

type Run = (fn: unknown, args?: unknown, options?: object) => Promise<unknown>
const RUNS: Record<string, Run> = {
  'apply()': apply as unknown as Run,
  'pool.apply()': pool.apply as unknown as Run,
  'apply() on this thread': (fn, args = [], options) => (apply as unknown as Run)(fn, args, { ...options, workers: 0 }),
}

for (const [name, run] of Object.entries(RUNS)) {
  describe(name, () => {
    it('gives the result of the task for its arguments, and passes only these', async () => {
      expect(await run(multiply, [6, 7])).toBe(42)
      expect(await run(received)).toEqual([])
      expect(await run(received, undefined)).toEqual([])
      expect(await run(received, [])).toEqual([])
      const args = [1, undefined, [2, 3], new Map([['a', new Date(5)]])]
      expect(await run(received, args)).toStrictEqual(args)
      expect(await run(greet, ['Ann'])).toBe('Hello, Ann')
      expect(await run({ module: 'node:path', export: 'join' }, ['a', 'b'])).toMatch(/^a.b$/)
    })

    it('rejects with the error of the task, as it was thrown', async () => {
      const error = await rejection(run(failing, ['E_ONE', 1]))
      expect(error).toBeInstanceOf(RangeError)
      expect(error).toMatchObject({ message: 'failed with E_ONE', code: 'E_ONE', details: [1] })
      expect(failure(error)).toMatchObject({ index: 0, item: ['E_ONE', 1], task: 'failing', attempts: 1 })
    })

    it('rejects when the task does not load', async () => {
      const missing = { module: new URL('./missing.js', import.meta.url), export: 'run' }
      expect(await rejection(run(missing, [1]))).toBeInstanceOf(TaskLoadError)
    })

    it('tries again as often as the option says', async () => {
      const tries = new Tries([2, 3])
      const [well, badly] = tries.items
      const retries = { attempts: 3, minDelay: 1 }
      expect(await run(triedPair, [well, ''], { retries })).toBe(well)
      expect(failure(await rejection(run(triedPair, [badly, ''], { retries })))).toMatchObject({ attempts: 3 })
      expect(tries.tries).toEqual([3, 3])
    })

    it('gives up after its timeout', async () => {
      const error = await rejection(run(hangs, [1, 2], { timeout: 300 }))
      expect(error).toBeInstanceOf(TaskTimeoutError)
      expect(failure(error)?.item).toEqual([1, 2])
    })

    it('gives up when its signal fires, at once and with the reason', async () => {
      const gates = new Gates(2)
      gates.hold(0, 1)
      const [first = 0, second = 0] = gates.items
      const controller = new AbortController()
      const call = run(gatedPair, [first, 'result'], { signal: controller.signal })
      await gates.entered(0)
      controller.abort('enough')
      expect(await rejection(call)).toBe('enough')
      expect(getEventListeners(controller.signal, 'abort')).toEqual([])
      expect(await rejection(run(gatedPair, [second, ''], { signal: controller.signal }))).toBe('enough')
      expect(gates.entries(1)).toBe(0)
    })

    it('takes part in many calls at once, which share a signal', async () => {
      const { signal } = new AbortController()
      const calls = ascending(200).map((n) => run(multiply, [n, 2], { signal }))
      expect(getEventListeners(signal, 'abort')).toHaveLength(1)
      expect(await Promise.all(calls)).toEqual(ascending(200).map((n) => 2 * n))
      expect(getEventListeners(signal, 'abort')).toEqual([])
    })

    it('throws at the call for arguments that are not an array, unknown options, and a value that is not a task', () => {
      for (const [args, text] of [
        [5, '5'],
        ['ab', "'ab'"],
        [null, 'null'],
        [{ timeout: 5 }, '{ timeout: 5 }'],
        [new Set([1]), 'Set(1)'],
      ] as const) {
        expect(() => run(multiply, args)).toThrow(
          expect.objectContaining({
            name: 'TypeError',
            code: 'ERR_INVALID_ARGUMENTS',
            message: expect.stringMatching(
              /^Cannot call a task with apply\(\) as its second argument must be an array, the task's arguments: received /,
            ) as string,
          }) as Error,
        )
        expect(() => run(multiply, args)).toThrow(text)
      }
      for (const option of ['window', 'chunksize', 'errors', 'concurrency']) {
        expect(() => run(multiply, [1, 2], { [option]: 1 })).toThrow(
          `Cannot call a task with apply() as it has no option '${option}': the options are signal, timeout, retries, transfer, workers`,
        )
      }
      expect(() => run(multiply, [1, 2], { timeout: 0 })).toThrow("'timeout' must be an integer from 1")
      expect(() => run('multiply', [1, 2])).toThrow(expect.objectContaining({ code: 'ERR_INVALID_TASK' }) as Error)
    })
  })
}

describe('apply() on threads', () => {
  it('copies the arguments, and refuses those that cannot be copied by name', async () => {
    const error = await rejection(pool.apply(received, [1, { log: () => 0 }]))
    expect(error).toBeInstanceOf(NotSerializableError)
    expect((error as Error).message).toContain('item[1].log is a function')
    expect(await rejection(pool.apply(misbehave, ['function']))).toBeInstanceOf(NotSerializableError)
  })

  it('rejects when its worker dies, and the pool lives on', async () => {
    const error = await rejection(pool.apply(misbehave, ['exit']))
    expect(error).toBeInstanceOf(WorkerCrashError)
    expect(error).toMatchObject({ exitCode: 3 })
    expect(await pool.apply(double, [4])).toBe(8)
  })

  it('refuses a plain function, which runs on this thread', async () => {
    const closure = (a: number): number => a + 1
    expect(() => (apply as unknown as Run)(closure, [1])).toThrow('a plain function cannot be found by another thread')
    expect(await apply(closure, [1], { workers: 0 })).toBe(2)
  })

  it('starts at the call, and leaves nothing open', async () => {
    const gates = new Gates(1)
    gates.hold(0)
    await using own = new Pool({ workers: 1 })
    const call = own.apply(gatedPair, [gates.items[0] ?? 0, 'result'])
    expect(own.stats()).toMatchObject({ streams: 1 })
    await gates.entered(0)
    gates.release(0)
    expect(await call).toBe('result')
    expect(own.stats()).toMatchObject({ streams: 0 })
  })

  it('takes its turn beside a long stream, and is not kept behind it', async () => {
    const gates = new Gates(100)
    gates.hold(...ascending(100))
    const stream = pool.starmap(
      gatedPair,
      gates.items.slice(1).map((item): [number, string] => [item, 'stream']),
      { chunksize: 1 },
    )
    await gates.entered(1)
    const call = pool.apply(gatedPair, [gates.items[0] ?? 0, 'call'])
    gates.release(0, ...ascending(20).map((i) => i + 1))
    expect(await call).toBe('call')
    gates.releaseAll()
    expect(await stream).toEqual(Array(99).fill('stream'))
  })

  it('ends with its pool: a terminated one rejects it at once, a closed one lets it finish', async () => {
    const gates = new Gates(2)
    gates.hold(0, 1)
    const [first = 0, second = 0] = gates.items
    const doomed = new Pool({ workers: 1 })
    const lost = rejection(doomed.apply(gatedPair, [first, '']))
    await gates.entered(0)
    await doomed.terminate()
    expect(await lost).toBeInstanceOf(PoolClosedError)
    const closing = new Pool({ workers: 1 })
    const result = closing.apply(gatedPair, [second, 'result'])
    const closed = closing.close()
    await expect(closing.apply(gatedPair, [second, ''])).rejects.toThrow(PoolClosedError)
    expect(() => closing.apply(gatedPair, 5 as never)).toThrow(TypeError)
    await turns()
    gates.release(1)
    expect(await result).toBe('result')
    await closed
  })
})
