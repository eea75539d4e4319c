/** The signal of a task is aborted with the reason of the caller's signal. */
import type { Worker } from 'node:worker_threads'
import { imap } from 'millrace'
import { reaches, row } from '../fixtures/contract-b-board.js'
import { boardPool, rejection } from '../fixtures/contract-b-ways.js'
import { tellInLoop, tellWhenAborted, type Told } from '../fixtures/signals.js'

const told: ((told: Told) => void)[] = []
const note = (worker: Worker): void => {
  worker.on('message', (message: { type?: string; told: Told }) => {
    if (message.type === 'reason') told.shift()?.(message.told)
  })
}
process.on('worker', note)
const pool = boardPool({ workers: 1 })
afterAll(async () => {
  process.off('worker', note)
  await pool.terminate()
})

/** The reason that the next task reports. */
function nextTold(): Promise<Told> {
  return new Promise((resolve) => told.push(resolve))
}

const ABORT_ERROR = { isError: true, name: 'AbortError' }
const REASONS: readonly (readonly [what: string, reason: unknown, told: Partial<Told>])[] = [
  [
    'an error with fields',
    Object.assign(new RangeError('enough'), { code: 'E_ENOUGH' }),
    { isError: true, name: 'RangeError', message: 'enough', code: 'E_ENOUGH' },
  ],
  [
    'a DOMException',
    new DOMException('late', 'TimeoutError'),
    { isError: true, name: 'TimeoutError', message: 'late' },
  ],
  ['a text', 'stop', { isError: false, reason: 'stop' }],
  ['null', null, { isError: false, reason: null }],
  ['nothing', undefined, ABORT_ERROR],
  [
    'an error that holds a function',
    Object.assign(new Error('held'), { held: () => 1 }),
    { isError: true, message: 'held' },
  ],
]

describe('the signal of a task in a worker', () => {
  for (const task of [tellWhenAborted, tellInLoop]) {
    const how = task === tellInLoop ? 'a loop that polls it' : 'a task that waits for it'
    for (const [what, reason, expected] of REASONS) {
      it(`is aborted by ${what} as the caller's is (${how})`, async () => {
        const begun = row()
        const controller = new AbortController()
        const stream = pool.imap(task, [begun], { signal: controller.signal })
        const pending = rejection(stream.next())
        await reaches(begun, 1)
        const heard = nextTold()
        controller.abort(reason)
        expect(await heard).toMatchObject(expected)
        expect(await pending).toBe(controller.signal.reason)
      })
    }

    it(`is aborted by an AbortError when the stream is left (${how})`, async () => {
      const begun = row()
      const stream = pool.imap(task, [begun])
      const pending = stream.next()
      await reaches(begun, 1)
      const heard = nextTold()
      await stream.return()
      expect(await heard).toMatchObject(ABORT_ERROR)
      expect(await pending).toEqual({ done: true, value: undefined })
    })
  }
})

describe('the signal of a task on this thread', () => {
  it("is aborted by the caller's reason itself, or by an AbortError when the stream is left", async () => {
    for (const reason of [new RangeError('enough'), undefined]) {
      const controller = new AbortController()
      let own: AbortSignal | undefined
      const stream = imap(
        (_: number, { signal }: { signal: AbortSignal }) => {
          own = signal
          return new Promise(() => {})
        },
        [1],
        { workers: 0, signal: controller.signal },
      )
      const pending = stream.next().catch(() => undefined)
      await new Promise(setImmediate)
      if (reason === undefined) await stream.return()
      else controller.abort(reason)
      await pending
      if (reason === undefined) expect(own?.reason).toMatchObject({ name: 'AbortError' })
      else expect(own?.reason).toBe(reason)
    }
  })
})
