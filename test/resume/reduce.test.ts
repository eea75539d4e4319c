/** `reduce()` with `resume`: a fold that fails anywhere, and goes on until it is done. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Diagnostics } from 'millrace'
import { heldFoldOf } from '#dist/verbs/held-fold.js'
import { reduce } from '#dist/verbs/reduce.js'
import { abortedInCheckpoint } from '../support/held-checkpoint.js'
import { failingSource } from '../support/marked-source.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'resume-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const numbers = Array.from({ length: 5_000 }, (_, n) => n)

const count = (into: Map<number, number>, n: number): Map<number, number> => into.set(n % 7, (into.get(n % 7) ?? 0) + n)
const merge = (into: Map<number, number>, partial: ReadonlyMap<number, number>): Map<number, number> => {
  for (const [key, sum] of partial) into.set(key, (into.get(key) ?? 0) + sum)
  return into
}

for (const ordered of [true, false]) {
  it(`counts each item once, ${ordered ? 'in order' : 'as they come'}`, async () => {
    const checkpoint = join(folder, 'count.checkpoint')
    const options = { initial: new Map<number, number>(), merge, ordered, workers: 0, window: 50 } as const
    const whole = await reduce(count, numbers, options)
    const resume = { checkpoint, interval: 1 }
    const begins: number[] = []
    const run = (stop?: number, abortAt = Infinity): Promise<Map<number, number>> => {
      const controller = new AbortController()
      let isFirst = true
      const source = failingSource(numbers, 16, stop, (at) => {
        if (isFirst) begins.push(at)
        isFirst = false
        if (at >= abortAt) controller.abort(new Error('stopped'))
      })
      return reduce(count, source, { ...options, resume, signal: controller.signal })
    }
    await expect(run(undefined, 2_000)).rejects.toThrow('stopped')
    expect(existsSync(checkpoint)).toBe(true)
    for (const stop of [3_000, 3_000, 4_990]) await expect(run(stop)).rejects.toThrow('stopped')
    expect(await run()).toEqual(whole)
    // It went on, and nothing is left. How far the others were depends on the disk.
    expect(begins.at(1)).toBeGreaterThanOrEqual(2_000)
    expect(begins.at(-1)).toBeGreaterThanOrEqual(2_000)
    expect(existsSync(checkpoint)).toBe(false)
  })
}

describe('a fold that ends early', () => {
  const sum = (into: number, n: number): number => into + n
  const options = { initial: 0, merge: sum, workers: 0, window: 50 } as const
  const total = (4_999 * 5_000) / 2

  it('makes a last checkpoint when its signal fires, and goes on from there', async () => {
    const checkpoint = join(folder, 'sum.checkpoint')
    const controller = new AbortController()
    const reason = new Error('enough')
    const stopping = failingSource(numbers, 16, undefined, (at) => {
      if (at >= 2_000) controller.abort(reason)
    })
    const { signal } = controller
    await expect(reduce(sum, stopping, { ...options, signal, resume: { checkpoint } })).rejects.toBe(reason)
    const events: Diagnostics['millrace:run:resume'][] = []
    const listener = (event: unknown): void => void events.push(event as Diagnostics['millrace:run:resume'])
    subscribe('millrace:run:resume', listener)
    let begin: number | undefined
    const source = failingSource(numbers, 16, undefined, (at) => (begin ??= at))
    expect(await reduce(sum, source, { ...options, resume: { checkpoint } })).toBe(total)
    unsubscribe('millrace:run:resume', listener)
    expect(begin).toBeGreaterThanOrEqual(2_000)
    expect(events).toEqual([{ name: 'MainProcess', pid: 0, checkpoint, items: begin, failed: 0, remarks: [] }])
  })

  it('makes a last checkpoint when its signal fires while another one is made', async () => {
    const checkpoint = join(folder, 'sum.checkpoint')
    const resume = { checkpoint, interval: 1 }
    const { atAbort, atEnd } = await abortedInCheckpoint(numbers, new Error('enough'), (source, signal) =>
      reduce(sum, source, { ...options, signal, resume }),
    )
    expect(atEnd).toBeLessThan(numbers.length)
    let begin: number | undefined
    const rest = failingSource(numbers, 16, undefined, (at) => (begin ??= at))
    expect(await reduce(sum, rest, { ...options, resume: { checkpoint } })).toBe(total)
    expect(begin).toBeGreaterThanOrEqual(atAbort)
  })

  it('is not begun when its signal has fired before', async () => {
    const checkpoint = join(folder, 'sum.checkpoint')
    const signal = AbortSignal.abort('before')
    const source = failingSource(numbers, 16, 0)
    await expect(reduce(sum, source, { ...options, signal, resume: { checkpoint } })).rejects.toBe('before')
    expect(readdirSync(folder)).toEqual([])
  })

  it('stops waiting for a merge when its signal fires', async () => {
    const checkpoint = join(folder, 'sum.checkpoint')
    const controller = new AbortController()
    const merge = (): Promise<number> => {
      controller.abort('stuck')
      return new Promise(() => {})
    }
    const { signal } = controller
    const resume = { checkpoint }
    const source = failingSource(numbers, 16)
    await expect(reduce(sum, source, { ...options, merge, signal, resume })).rejects.toBe('stuck')
    expect(readdirSync(folder)).toEqual([])
  })

  it('keeps its value for a later run while it is held', async () => {
    const checkpoint = join(folder, 'sum.checkpoint')
    const run = (stop?: number): Promise<number> =>
      reduce(sum, failingSource(numbers, 16, stop), { ...options, resume: { checkpoint } })
    const first = run()
    heldFoldOf(first)?.hold()
    expect(await first).toBe(total)
    expect(readdirSync(folder).sort()).toEqual(['sum.checkpoint', 'sum.checkpoint.lock'])
    await heldFoldOf(first)?.discard()
    expect(readdirSync(folder)).toEqual(['sum.checkpoint'])
    // Nothing is read: it would throw.
    const second = run(0)
    heldFoldOf(second)?.hold()
    expect(await second).toBe(total)
    await heldFoldOf(second)?.release()
    expect(readdirSync(folder)).toEqual([])
  })
})

it('refuses another fold, and a checkpoint without a path', async () => {
  const checkpoint = join(folder, 'count.checkpoint')
  const options = { initial: 0, workers: 0, resume: { checkpoint, interval: 1 } } as const
  const add = (into: number, n: number): number => into + n
  const max = (into: number, n: number): number => Math.max(into, n)
  const controller = new AbortController()
  const { signal } = controller
  const stopping = failingSource(numbers, 16, undefined, (at) => {
    if (at >= 3_000) controller.abort(new Error('stopped'))
  })
  await expect(reduce(add, stopping, { ...options, signal, merge: add })).rejects.toThrow('stopped')
  await expect(reduce(max, failingSource(numbers, 16), { ...options, merge: max })).rejects.toMatchObject({
    code: 'ERR_CHECKPOINT_PLAN',
    message: expect.stringContaining("'stages.0.task' was 'add', and is 'max'") as string,
  })
  const other = (into: number, n: number): number => n + into
  await expect(reduce(add, failingSource(numbers, 16), { ...options, merge: other })).rejects.toMatchObject({
    code: 'ERR_CHECKPOINT_CODE',
  })
  expect(await reduce(add, failingSource(numbers, 16), { ...options, merge: add })).toBe((4_999 * 5_000) / 2)
  expect(() => reduce(add, numbers, { initial: 0, merge: add, workers: 0, resume: {} as never })).toThrow(
    "'resume.checkpoint', the path of a file, must be given",
  )
})

it('refuses a source that can only begin at its start', async () => {
  const options = { initial: 0, merge: (a: number, b: number) => a + b, workers: 0 } as const
  const resume = { checkpoint: join(folder, 'a.checkpoint') }
  const endless = (function* () {
    for (let n = 0; ; n++) yield n
  })()
  await expect(reduce((a: number, n: number) => a + n, endless, { ...options, resume })).rejects.toMatchObject({
    code: 'ERR_NOT_RESUMABLE',
    message: expect.stringContaining('received Object [Generator] {}') as string,
  })
})
