/** The parts that a stream gets from an executor that tries again. The executor behind it is controlled by the test. */
import { AsyncResource } from 'node:async_hooks'
import { Items } from '#dist/codec/batch.js'
import type { Chunk, Executor, Job, Lane, LaneClient, Part } from '#dist/executor/executor.js'
import type { RetryPolicy } from '#dist/executor/retry-queue.js'
import { retryExecutor } from '#dist/executor/retry.js'

const POLICY = { attempts: 2, minDelay: 0, maxDelay: 0, jitter: 0, when: (error: unknown) => error !== 'hopeless' }

/**
 * A lane to such an executor, the parts that came out, and the chunks that were submitted to the executor behind it.
 */
function opened(job: Partial<Job> = {}, policy: Partial<RetryPolicy> = {}) {
  const parts: Part[] = []
  const submitted: Chunk[] = []
  const broken: unknown[] = []
  /** The parts that came back in the lane behind it, and the reason why no more come. */
  const answers: Part[] = []
  let error: { readonly error: unknown } | undefined
  let rooms = 0
  let ready = true
  let innerJob: Job | undefined
  let inner: LaneClient | undefined
  let told = (): void => undefined
  const executor: Executor = {
    identify: (worker) => ({ name: 'none', pid: -1, pool: '', worker }),
    open: (job: Job, client: LaneClient): Lane => {
      innerJob = job
      inner = client
      return {
        encodes: true,
        get ready() {
          return ready
        },
        submit: (chunk) => {
          submitted.push(chunk)
          told()
        },
        flush: () => undefined,
        take: () => answers.shift(),
        get error() {
          return error
        },
        retried: 0,
        close: () => {
          ready = false
          answers.length = 0
        },
      }
    },
  }
  const base: Job = { kind: 'map', concurrency: 1, ordered: true, stopOnError: false, deep: false }
  /** For a stream that ends by a part. */
  let onPart = (): void => undefined
  const retrying = retryExecutor(executor, { ...POLICY, ...policy })
  const lane = retrying.open(
    { ...base, ...job },
    {
      context: new AsyncResource('TEST'),
      wake: () => {
        if (lane.ready) rooms++
        for (let part = lane.take(); part !== undefined; part = lane.take()) {
          parts.push(part)
          onPart()
        }
        if (lane.error === undefined) return
        broken.push(lane.error.error)
        lane.close()
      },
    },
  )
  return {
    lane,
    parts,
    submitted,
    broken,
    job: innerJob,
    rooms: () => rooms,
    retried: () => lane.retried,
    endAtNextPart: (): void => {
      onPart = () => {
        lane.close()
      }
    },
    setReady: (is: boolean): void => {
      ready = is
    },
    room: (): void => inner?.wake(),
    answer: (part: Part): void => {
      answers.push(part)
      inner?.wake()
    },
    /** The executor behind it cannot give any more parts. */
    fail: (thrown: unknown): void => {
      error = { error: thrown }
      inner?.wake()
    },
    /** Resolves when this many chunks have been submitted. */
    submits: async (count: number): Promise<void> => {
      while (submitted.length < count) {
        await new Promise<void>((resolve) => {
          told = resolve
        })
      }
    },
  }
}

function partOf(chunk: Chunk | undefined, from: number, results: unknown[], rest: Partial<Part> = {}): Part {
  if (chunk === undefined) throw new Error('There is no such chunk')
  const part = { chunk, from, count: results.length, results: new Items(results), worker: 1, last: true }
  return { ...part, ...rest }
}

/** The waits that `run` asks for, in milliseconds. */
function waitsOf(run: () => void): number[] {
  const waits: number[] = []
  const { setTimeout: real } = globalThis
  const instead = (call: () => void, milliseconds: number): NodeJS.Timeout => {
    waits.push(milliseconds)
    return real(call, milliseconds)
  }
  globalThis.setTimeout = instead as typeof setTimeout
  try {
    run()
  } finally {
    globalThis.setTimeout = real
  }
  return waits
}

/** Resolves after all timers without a delay that have been started. */
async function timersDue(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve))
}

/** The relevant fields of a part. */
function seen({ from, count, results, errors, last, time, bytes }: Part): unknown {
  return { from, count, results: results.values(), errors: [...(errors ?? [])], last, time, bytes }
}

describe('retryExecutor()', () => {
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

  it('also holds later parts of the chunk, if the stream is ordered', async () => {
    const { lane, parts, submitted, answer, submits } = opened()
    lane.submit(chunk)
    answer(partOf(chunk, 0, ['A', undefined], { errors: new Map([[1, 'again']]), last: false }))
    const rest = partOf(chunk, 2, ['C', 'D'])
    answer(rest)
    await submits(2)
    expect(parts.map((part) => part.results.values())).toEqual([['A']])
    answer(partOf(submitted[1], 0, ['B']))
    expect(parts.map((part) => part.results.values())).toEqual([['A'], ['B'], ['C', 'D']])
    // Unchanged: it has not been decoded.
    expect(parts[2]?.results).toBe(rest.results)
    expect(parts.map(({ last }) => last)).toEqual([false, false, true])
  })

  it('is not misled by a last part that is empty, of an item that was tried again', async () => {
    for (const ordered of [true, false]) {
      const { lane, parts, submitted, answer, submits } = opened({ ordered })
      lane.submit(chunk)
      const errors = new Map([0, 1].map((partOffset) => [partOffset, 'again']))
      answer(partOf(chunk, 0, [undefined, undefined, 'C', 'D'], { errors }))
      await submits(3)
      answer(partOf(submitted[2], 0, ['B'], { last: false }))
      answer(partOf(submitted[2], 1, []))
      answer(partOf(submitted[1], 0, ['A']))
      const results = [['A'], ['B'], ['C', 'D']]
      expect(parts.map((part) => part.results.values())).toEqual(ordered ? results : results.reverse())
      expect(parts.map(({ last }) => last)).toEqual([false, false, true])
    }
  })

  it('submits items that are due before new chunks, when there is room', async () => {
    const { lane, submitted, rooms, setReady, room, answer, submits } = opened()
    lane.submit(chunk)
    setReady(false)
    answer(partOf(chunk, 0, ['A', undefined, 'C', 'D'], { errors: new Map([[1, 'again']]) }))
    await timersDue()
    expect([submitted.length, lane.ready, rooms()]).toEqual([1, false, 0])
    setReady(true)
    expect([lane.ready, submitted.length]).toEqual([false, 1])
    room()
    await submits(2)
    expect([submitted[1]?.first, lane.ready, rooms()]).toEqual([11, true, 1])
  })

  it('opens and closes the lane behind it as its own, but lets a fold go on behind an error', () => {
    const { lane, job } = opened({ stopOnError: true, kind: 'flatMap' })
    expect([lane.encodes, job?.stopOnError, job?.kind]).toEqual([true, true, 'flatMap'])
    expect(opened({ stopOnError: true, kind: 'reduce' }).job).toMatchObject({ kind: 'reduce', stopOnError: false })
    expect(lane.ready).toBe(true)
    lane.close()
    expect(lane.ready).toBe(false)
  })

  it('passes on the figures of the executor behind it', () => {
    const { fail, broken } = opened()
    fail('a reason')
    expect(broken).toEqual(['a reason'])
  })

  it('passes on a fault of all that a chunk had left', () => {
    for (const kind of ['map', 'reduce'] as const) {
      const { lane, parts, retried, answer } = opened({ kind })
      lane.submit(chunk)
      const errors = new Map([0, 1, 2, 3].map((partOffset) => [partOffset, 'again']))
      const part = partOf(chunk, 0, [undefined, undefined, undefined, undefined], { errors, isFault: true })
      answer(part)
      expect(parts).toEqual([part])
      expect(retried()).toBe(0)
    }
  })

  it('gives nothing more, and tries nothing again, when the stream ends by a part', async () => {
    for (const ordered of [true, false]) {
      const { lane, parts, submitted, answer, submits, endAtNextPart } = opened({ ordered })
      lane.submit(chunk)
      endAtNextPart()
      if (ordered) {
        answer(partOf(chunk, 0, [undefined, 'B', undefined, 'D'], { errors: new Map([[0, 'again']]) }))
        await submits(2)
        answer(partOf(submitted[1], 0, ['A']))
      } else {
        answer(partOf(chunk, 0, ['A', undefined, 'C', 'D'], { errors: new Map([[1, 'again']]) }))
      }
      expect(parts).toHaveLength(1)
    }
  })

  it('tries nothing again once it is closed, whether it waited for its time or for room', async () => {
    for (const kind of ['map', 'reduce'] as const) {
      for (const isDue of [true, false]) {
        const { lane, parts, submitted, setReady, room, answer } = opened({ kind })
        lane.submit(chunk)
        setReady(false)
        answer(partOf(chunk, 0, ['A', undefined, 'C', 'D'], { errors: new Map([[1, 'again']]), last: false }))
        if (isDue) await timersDue()
        const before = parts.length
        const { clearTimeout: real } = globalThis
        let stopped = 0
        globalThis.clearTimeout = (timer) => {
          stopped++
          real(timer)
        }
        try {
          lane.close()
        } finally {
          globalThis.clearTimeout = real
        }
        // Waits that are over are not kept.
        expect(stopped).toBe(isDue ? 0 : 1)
        setReady(true)
        room()
        await timersDue()
        answer(partOf(chunk, 4, []))
        expect([submitted.length, parts.length]).toEqual([1, before])
      }
    }
  })

  it("stops asking when 'when' throws, gives a promise or ends the stream", () => {
    const problem = new Error('no answer')
    for (const kind of ['map', 'reduce'] as const) {
      for (const how of ['throw', 'promise', 'end'] as const) {
        let asked = 0
        const when = (): unknown => {
          asked++
          if (how === 'throw') throw problem
          if (how === 'end') lane.close()
          return how === 'end' || Promise.resolve(true)
        }
        const { lane, parts, broken, retried, answer } = opened({ kind }, { when })
        lane.submit(chunk)
        const errors = new Map([0, 1, 2].map((partOffset) => [partOffset, 'again']))
        const waits = waitsOf(() => {
          answer(partOf(chunk, 0, [undefined, undefined, undefined, 'D'], { errors }))
        })
        expect([asked, parts, waits, retried()]).toEqual([1, [], [], 0])
        if (how === 'end') expect(broken).toEqual([])
        else if (how === 'throw') expect(broken).toEqual([problem])
        else expect(broken).toMatchObject([{ code: 'ERR_INVALID_OPTION' }])
      }
    }
  })

  it("starts no timer when 'when' ends the stream after a further try", async () => {
    for (const kind of ['map', 'reduce'] as const) {
      let asked = 0
      const when = (): boolean => {
        if (++asked === 2) lane.close()
        return true
      }
      const { lane, parts, submitted, answer, submits, retried } = opened({ kind }, { when, attempts: 3 })
      lane.submit(chunk)
      const errors = new Map([[0, 'again']])
      answer(partOf(chunk, 0, [undefined], { errors }))
      await submits(2)
      const waits = waitsOf(() => {
        answer(partOf(submitted[1], 0, [undefined], { errors }))
      })
      expect([asked, parts, waits, retried()]).toEqual([2, [], [], 1])
    }
  })

  it('asks again after each further failure, up to as many as there may be', async () => {
    const { lane, parts, submitted, answer, submits, retried } = opened({}, { attempts: 3 })
    lane.submit(chunk)
    const errors = new Map([[0, 'again']])
    answer(partOf(chunk, 0, [undefined, 'B', 'C', 'D'], { errors }))
    for (const count of [2, 3]) {
      await submits(count)
      expect(submitted[count - 1]).toMatchObject({ first: 10, items: { length: 1 } })
      answer(partOf(submitted[count - 1], 0, [undefined], { errors, worker: count }))
    }
    expect(retried()).toBe(2)
    const [first] = parts as [Part]
    expect(first).toMatchObject({ from: 0, count: 1, worker: 3, last: false, errors, attempts: new Map([[0, 3]]) })
    expect(parts.slice(1).map(seen)).toMatchObject([{ from: 1, count: 3, last: true }])
    expect(parts[1]?.attempts).toBeUndefined()
  })

  it('finds the places of items that came in another order, and the results of items that have several', async () => {
    const { lane, parts, submitted, answer, submits } = opened({ ordered: false, kind: 'flatMap' })
    lane.submit(chunk)
    answer(
      partOf(chunk, 0, ['D1', 'D2', 'A'], {
        count: 4,
        chunkOffsets: [3, 2, 1, 0],
        counts: Uint32Array.of(2, 0, 0, 1),
        errors: new Map([
          [2, 'hopeless'],
          [1, 'again'],
        ]),
      }),
    )
    await submits(2)
    expect(submitted[1]).toMatchObject({ first: 12 })
    answer(partOf(submitted[1], 0, ['C1', 'C2'], { count: 1, counts: Uint32Array.of(2), chunkOffsets: [0] }))
    const told = parts.map(({ from, chunkOffsets, counts, last, ...part }) => {
      return {
        from,
        chunkOffsets,
        counts: [...(counts ?? [])],
        last,
        results: part.results.values(),
        errors: part.errors,
      }
    })
    expect(told).toEqual([
      { from: 0, chunkOffsets: [3], counts: [2], last: false, results: ['D1', 'D2'], errors: undefined },
      {
        from: 2,
        chunkOffsets: [1, 0],
        counts: [0, 1],
        last: false,
        results: ['A'],
        errors: new Map([[0, 'hopeless']]),
      },
      { from: 2, chunkOffsets: undefined, counts: [2], last: true, results: ['C1', 'C2'], errors: undefined },
    ])
  })

  describe('of a fold', () => {
    const policy = { attempts: 3, minDelay: 1, maxDelay: 9 }
    /** The part of a chunk whose items at these places have failed. */
    function failedOf(of: Chunk | undefined, errors: Record<number, string>): Part {
      const map = new Map(Object.entries(errors).map(([chunkOffset, error]) => [Number(chunkOffset), error]))
      return partOf(of, 0, [undefined, undefined, undefined, undefined], { errors: map })
    }

    it('submits the whole chunk except items that are not tried again, and reports the tries of each', async () => {
      const { lane, parts, submitted, answer, submits, retried } = opened({ kind: 'reduce' }, policy)
      lane.submit(chunk)
      answer(failedOf(chunk, { 0: 'again', 1: 'hopeless', 2: 'again' }))
      await submits(2)
      expect([retried(), submitted[1]]).toEqual([2, { ...chunk, failed: new Map([[1, 'hopeless']]) }])
      answer(failedOf(submitted[1], { 1: 'hopeless', 2: 'again' }))
      await submits(3)
      answer(failedOf(submitted[2], { 1: 'hopeless', 2: 'at last' }))
      // The submitted chunk is unchanged.
      for (const { failed } of submitted.slice(1)) expect(failed).toEqual(new Map([[1, 'hopeless']]))
      expect(parts.map(seen)).toEqual([seen(failedOf(chunk, { 1: 'hopeless', 2: 'at last' }))])
      expect([parts[0]?.attempts?.get(1), parts[0]?.attempts?.get(2)]).toEqual([1, 3])
      expect([parts[0]?.chunk === chunk, retried()]).toEqual([true, 3])
    })

    it('gives the result of a folded chunk, or its fault, for the chunk that the stream knows', async () => {
      for (const isFault of [undefined, true]) {
        const { lane, parts, submitted, answer, submits } = opened({ kind: 'reduce' }, policy)
        lane.submit(chunk)
        answer(failedOf(chunk, { 3: 'again' }))
        await submits(2)
        const folded = partOf(submitted[1], 0, ['ABCD'], { count: 4, isFault })
        const part = isFault === true ? { ...failedOf(submitted[1], { 0: 'again' }), isFault } : folded
        answer(part)
        expect(parts).toEqual([{ ...part, chunk }])
        expect([parts[0]?.chunk === chunk, submitted.length]).toEqual([true, 2])
      }
    })

    it('waits for the one that has failed most often', async () => {
      // Whether or not an error would end the stream: there is none yet.
      const { lane, submitted, answer, submits } = opened({ kind: 'reduce', stopOnError: true }, policy)
      lane.submit(chunk)
      const first = waitsOf(() => {
        answer(failedOf(chunk, { 0: 'again' }))
      })
      await submits(2)
      const second = waitsOf(() => {
        answer(failedOf(submitted[1], { 0: 'again', 1: 'again' }))
      })
      expect([first, second]).toEqual([[1], [2]])
      await submits(3)
    })

    it('tries nothing again that is lost already, where an error ends the stream', () => {
      const { lane, parts, answer } = opened({ kind: 'reduce', stopOnError: true }, policy)
      lane.submit(chunk)
      const waits = waitsOf(() => {
        answer(failedOf(chunk, { 0: 'again', 1: 'hopeless' }))
      })
      expect([waits, parts.map(seen)]).toEqual([[], [seen(failedOf(chunk, { 1: 'hopeless' }))]])
    })
  })
})
