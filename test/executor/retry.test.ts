/** What a stream gets from an executor that tries again, part by part; with an executor behind it that does as it is told. */
import { Items } from '#dist/codec/batch.js'
import type { Chunk, Job, Lane, LaneEvents, Part } from '#dist/executor/executor.js'
import { RetryExecutor } from '#dist/executor/retry.js'

const POLICY = { attempts: 1, minDelay: 0, maxDelay: 0, jitter: 0, when: (error: unknown) => error !== 'hopeless' }

/** A lane to such an executor, what came out of it, and what was submitted behind it. */
function opened(job: Partial<Job> = {}) {
  const parts: Part[] = []
  const submitted: Chunk[] = []
  let rooms = 0
  let ready = true
  let inner: LaneEvents | undefined
  let told = (): void => undefined
  const executor = {
    workers: 3,
    open: (_: Job, events: LaneEvents): Lane => {
      inner = events
      return {
        encodes: true,
        get ready() {
          return ready
        },
        submit: (chunk) => {
          submitted.push(chunk)
          told()
        },
        close: () => undefined,
      }
    },
  }
  const base: Job = { kind: 'map', concurrency: 1, ordered: true, stopOnError: false, deep: false }
  const lane = new RetryExecutor(executor, POLICY).open(
    { ...base, ...job },
    {
      room: () => rooms++,
      part: (part) => parts.push(part),
      retried: () => undefined,
      broken: () => undefined,
    },
  )
  return {
    lane,
    parts,
    submitted,
    rooms: () => rooms,
    setReady: (is: boolean): void => {
      ready = is
      if (is) inner?.room()
    },
    answer: (part: Part): void => inner?.part(part),
    /** Resolves when so many chunks have been submitted. */
    submits: async (count: number): Promise<void> => {
      while (submitted.length < count) {
        await new Promise<void>((resolve) => {
          told = resolve
        })
      }
    },
  }
}

function partOf(chunk: Chunk, from: number, results: unknown[], rest: Partial<Part> = {}): Part {
  const part = { chunk, from, count: results.length, results: new Items(results), worker: 1, last: true }
  return { ...part, ...rest }
}

/** What matters of a part. */
function seen({ from, count, results, errors, last, time, bytes }: Part): unknown {
  return { from, count, results: results.values(), errors: [...(errors ?? [])], last, time, bytes }
}

describe('RetryExecutor', () => {
  const chunk: Chunk = { first: 10, items: new Items(['a', 'b', 'c', 'd']) }

  it('gives the figures of a chunk with its last outcome, and other errors in their places', async () => {
    const { lane, parts, submitted, answer, submits } = opened()
    lane.submit(chunk)
    const errors = new Map([
      [0, 'again'],
      [1, 'hopeless'],
      [3, 'hopeless'],
    ])
    answer(partOf(chunk, 0, [undefined, undefined, 'C', undefined], { errors, time: 7, bytes: 9 }))
    expect(parts).toEqual([])
    await submits(2)
    const [, again] = submitted as [Chunk, Chunk]
    expect([again.first, again.items.values()]).toEqual([10, ['a']])
    answer(partOf(again, 0, ['A'], { time: 1, bytes: 1, last: false }))
    answer(partOf(again, 1, [], { last: true }))
    const rest = [
      [0, 'hopeless'],
      [2, 'hopeless'],
    ]
    expect(parts.map(seen)).toEqual([
      { from: 0, count: 1, results: ['A'], errors: [], last: false, time: 7, bytes: 9 },
      { from: 1, count: 3, results: [undefined, 'C', undefined], errors: rest, last: true, time: 7, bytes: 9 },
    ])
    for (const part of parts) expect(part.chunk).toBe(chunk)
  })

  it('is done with a chunk when its last part comes, be it empty, if all is given by then', async () => {
    for (const ordered of [true, false]) {
      const { lane, parts, submitted, answer, submits } = opened({ ordered })
      lane.submit(chunk)
      answer(partOf(chunk, 0, ['A', undefined, 'C'], { errors: new Map([[1, 'again']]), last: false }))
      await submits(2)
      answer(partOf(submitted[1], 0, ['B']))
      answer(partOf(chunk, 3, ['D'], { last: false }))
      expect(parts.map(({ last }) => last)).toEqual([false, false, false, false])
      answer(partOf(chunk, 4, [], { time: 3 }))
      expect(parts.slice(4).map(seen)).toEqual([
        { from: 4, count: 0, results: [], errors: [], last: true, time: 3, bytes: undefined },
      ])
    }
  })

  it('submits items that are due before new chunks, when there is room', async () => {
    const { lane, submitted, rooms, setReady, answer, submits } = opened()
    lane.submit(chunk)
    setReady(false)
    answer(partOf(chunk, 0, ['A', undefined, 'C', 'D'], { errors: new Map([[1, 'again']]) }))
    await new Promise((resolve) => setTimeout(resolve))
    expect([submitted.length, lane.ready, rooms()]).toEqual([1, false, 0])
    setReady(true)
    await submits(2)
    expect([submitted[1]?.first, lane.ready, rooms()]).toEqual([11, true, 1])
  })
})
