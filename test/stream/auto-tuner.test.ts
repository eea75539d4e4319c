import fc from 'fast-check'
import { AutoTuner, type AutoTunerOptions } from '#dist/stream/auto-tuner.js'
import type { Measure } from '#dist/stream/tuner.js'

const MIB = 2 ** 20

function auto(options: Partial<AutoTunerOptions> = {}): AutoTuner {
  return new AutoTuner({ workers: 2, min: 1, ...options })
}

/** Reports `count` full chunks to the tuner, with this cost per item. */
function run(tuner: AutoTuner, count: number, time: number, bytes?: number): AutoTuner {
  for (let chunk = 0; chunk < count; chunk++) {
    const items = tuner.next()
    tuner.record({ items, time: items * time, bytes: bytes && items * bytes })
  }
  return tuner
}

describe('AutoTuner: growing', () => {
  it('starts at its minimum', () => {
    expect(auto().next()).toBe(1)
    expect(auto({ min: 32 }).next()).toBe(32)
    expect(auto().tuning).toEqual({
      chunksize: 1,
      reason: 'start',
      timePerItem: undefined,
      bytesPerItem: undefined,
    })
  })

  it('doubles at each full chunk until a chunk takes four milliseconds', () => {
    const tuner = auto()
    const sizes = Array.from({ length: 10 }, () => run(tuner, 1, 0.03125).next())
    expect(sizes).toEqual([2, 4, 8, 16, 32, 64, 128, 128, 128, 128])
    expect(tuner.tuning).toMatchObject({ reason: 'time', timePerItem: 0.03125 })
    expect(run(auto(), 3, 0.01).tuning.reason).toBe('growing')
  })

  it('doubles once for all chunks of one size that are under way together', () => {
    const tuner = auto()
    for (let chunk = 0; chunk < 4; chunk++) tuner.record({ items: 1, time: 0.001 })
    expect(tuner.next()).toBe(2)
    for (let chunk = 0; chunk < 4; chunk++) tuner.record({ items: 2, time: 0.002 })
    expect(tuner.next()).toBe(4)
  })

  it('does not grow by chunks that were not full, however cheap their items', () => {
    const tuner = run(auto(), 4, 0.001)
    for (let chunk = 0; chunk < 100; chunk++) tuner.record({ items: 15, time: 0.0001 })
    expect(tuner.next()).toBe(16)
  })

  it('does not grow by chunks of unknown time: their worker crashed', () => {
    const tuner = run(auto(), 4, 0.001)
    tuner.record({ items: 16 })
    tuner.record({ items: 16, time: undefined, bytes: 16 })
    expect(tuner.next()).toBe(16)
  })

  it('grows to 8,192 items where the clock sees no time pass', () => {
    const tuner = run(auto(), 14, 0)
    expect(tuner.next()).toBe(8_192)
    expect(run(tuner, 3, 0).tuning).toMatchObject({ chunksize: 8_192, reason: 'items', timePerItem: 0 })
  })
})

describe('AutoTuner: shrinking', () => {
  it('shrinks at once when items become expensive, and never below a chunk of one', () => {
    const tuner = run(auto(), 20, 0.001)
    expect(tuner.next()).toBe(4_000)
    run(tuner, 1, 1)
    expect(tuner.tuning).toMatchObject({ chunksize: 4, reason: 'time' })
    run(tuner, 1, 1_000)
    expect(tuner.tuning).toMatchObject({ chunksize: 1, reason: 'time' })
  })

  it('shrinks at once by a chunk that was not full, if that took long', () => {
    const tuner = run(auto(), 20, 0.001)
    tuner.record({ items: 10, time: 10 })
    expect(tuner.next()).toBe(4)
  })

  it('almost ignores the cost of the few items of a quick chunk: that is the cost of the chunk', () => {
    const tuner = run(auto(), 20, 0.001)
    for (let chunk = 0; chunk < 100; chunk++) tuner.record({ items: 1, time: 0.1 })
    expect(tuner.next()).toBeGreaterThan(1_000)
  })

  it('recovers in as many doublings as one expensive item has cost', () => {
    const tuner = run(auto(), 20, 0.004)
    expect(tuner.next()).toBe(1_000)
    tuner.record({ items: 1_000, time: 1_004 })
    expect(tuner.next()).toBe(3)
    expect(run(tuner, 9, 0.004).next()).toBe(1_000)
  })

  it('goes by its minimum where that takes longer: a worker runs as many at once', () => {
    expect(run(auto({ min: 32 }), 5, 10).tuning).toMatchObject({ chunksize: 32, reason: 'time' })
  })
})

describe('AutoTuner: bytes', () => {
  it('goes down to single items at once when they are huge', () => {
    const tuner = run(auto(), 8, 0.001)
    run(tuner, 1, 0.001, 10 * MIB)
    expect(tuner.tuning).toMatchObject({ chunksize: 1, reason: 'bytes', bytesPerItem: 10 * MIB })
    expect(run(auto({ min: 32 }), 1, 0.001, 10 * MIB).next()).toBe(1)
  })

  it('makes chunks of at most 256 KiB', () => {
    expect(run(auto(), 20, 0.0001, 256).tuning).toMatchObject({ chunksize: 1_024, reason: 'bytes', bytesPerItem: 256 })
  })

  it('makes chunks of at most 1 MiB where the items travel by reference and their results are small', () => {
    const tuner = auto()
    for (let chunk = 0; chunk < 20; chunk++) {
      const items = tuner.next()
      tuner.record({ items, time: items * 0.0001, bytes: items * 256, copied: items })
    }
    expect(tuner.tuning).toMatchObject({ chunksize: 4_096, reason: 'bytes', bytesPerItem: 256 })
  })

  it('makes smaller ones for many workers: the chunks of all take 64 MiB', () => {
    expect(run(auto({ workers: 64 }), 20, 0.0001, 256).next()).toBe(1_024)
    expect(run(auto({ workers: 256 }), 20, 0.0001, 256).next()).toBe(256)
  })

  it('learns bytes where the time is unknown', () => {
    const tuner = run(auto(), 8, 0.001)
    tuner.record({ items: 256, bytes: 256 * MIB })
    expect(tuner.next()).toBe(1)
  })
})

describe('AutoTuner: a given window', () => {
  it.each([
    [1, 2, 1],
    [3, 2, 1],
    [4, 2, 1],
    [100, 2, 25],
    [100, 16, 3],
  ])('window %i, %i workers: chunks of at most %i, so that each worker can have two', (window, workers, most) => {
    const tuner = auto({ window, workers })
    expect(tuner.next()).toBe(1)
    expect(run(tuner, 20, 0.001).tuning).toMatchObject({ chunksize: most, reason: 'window' })
  })

  it('comes before the minimum', () => {
    expect(auto({ window: 8, min: 32 }).next()).toBe(2)
  })
})

describe('AutoTuner: the tail of a known length', () => {
  it('gives each worker half of its share of what is left', () => {
    const tuner = run(auto({ workers: 4 }), 20, 0.02)
    expect(tuner.next(100_000)).toBe(200)
    expect(tuner.tuning.reason).toBe('time')
    expect(tuner.next(800)).toBe(100)
    expect(tuner.tuning).toMatchObject({ chunksize: 100, reason: 'tail' })
    expect(tuner.next(401)).toBe(51)
  })

  it('makes no chunk of less than half a millisecond', () => {
    const tuner = run(auto({ workers: 4 }), 20, 0.02)
    expect(tuner.next(80)).toBe(25)
    expect(tuner.next(1)).toBe(25)
    expect(tuner.next(0)).toBe(25)
  })

  it('spreads a few items over all workers from the start, with any minimum', () => {
    expect(auto({ workers: 4 }).next(10)).toBe(1)
    // Its items run at once: a second chunk would wait for the first.
    expect(auto({ workers: 4, min: 32 }).next(10)).toBe(3)
    expect(auto({ workers: 4, min: 32 }).next(0)).toBe(1)
  })

  it('does not learn from a question: the next chunk can be full again', () => {
    const tuner = run(auto({ workers: 4 }), 20, 0.02)
    tuner.next(80)
    expect(tuner.next()).toBe(200)
    expect(tuner.tuning).toMatchObject({ chunksize: 200, reason: 'time' })
  })

  it('gives at least one item, for every reported length of a source', () => {
    const tuner = run(auto(), 20, 10)
    for (const remaining of [0, -5, NaN, 0.5, Infinity]) expect(tuner.next(remaining)).toBe(1)
  })
})

describe('AutoTuner: nonsense', () => {
  it('ignores values that are not a time or a size, and then continues to learn', () => {
    const tuner = run(auto(), 10, 0.02)
    const before = tuner.tuning
    for (const nonsense of [NaN, -1, Infinity, -Infinity]) {
      tuner.record({ items: 200, time: nonsense, bytes: nonsense })
      tuner.record({ items: nonsense, time: 1, bytes: 1 })
    }
    tuner.record({ items: 0, time: 1, bytes: 1 })
    expect(tuner.tuning).toEqual(before)
    expect(run(tuner, 1, 1).next()).toBe(4)
  })

  it('gives an integer within its bounds, and at most doubles, for every input', () => {
    const amount = fc.oneof(
      fc.double(),
      fc.double({ min: 0, max: 100, noNaN: true }),
      fc.constantFrom(undefined, 0, Number.MIN_VALUE, Number.MAX_VALUE),
    )
    const items = fc.oneof(fc.integer({ min: 0, max: 20_000 }), fc.double(), fc.constant('full' as const))
    const steps = fc.array(fc.record({ items, time: amount, bytes: amount, remaining: amount }), { maxLength: 60 })
    const options = fc.record({
      workers: fc.integer({ min: 1, max: 128 }),
      min: fc.constantFrom(1, 4, 64, 100_000),
      window: fc.option(fc.integer({ min: 1, max: 1e6 }), { nil: undefined }),
    })
    fc.assert(
      fc.property(options, steps, (options, steps) => {
        const tuner = new AutoTuner(options)
        const most = Math.max(1, Math.min(8_192, Math.floor((options.window ?? Infinity) / (2 * options.workers))))
        for (const step of steps) {
          const before = tuner.next()
          const measure: Measure = { ...step, items: step.items === 'full' ? before : step.items }
          tuner.record(measure)
          const size = tuner.next()
          expect(Number.isInteger(size) && size >= 1 && size <= most).toBe(true)
          expect(size).toBeLessThanOrEqual(Math.max(before, 2 * before * Number(measure.items >= before)))
          const tail = tuner.next(step.remaining)
          expect(Number.isInteger(tail) && tail >= 1 && tail <= size).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('AutoTuner: on a cluster', () => {
  const grain = { time: 20, bytes: MIB / 4, windowBytes: 256 * MIB }

  it('aims at the time and the bytes of the grain', () => {
    expect(run(auto({ grain }), 12, 0.03125).tuning).toMatchObject({ chunksize: 640, reason: 'time' })
    expect(run(auto({ grain }), 12, 0.001, 1024).tuning).toMatchObject({ chunksize: 256, reason: 'bytes' })
    const small = { ...grain, windowBytes: MIB }
    expect(run(auto({ grain: small }), 12, 0.001, 1024).tuning).toMatchObject({ chunksize: 128, reason: 'bytes' })
  })

  it('follows the number of workers', () => {
    const options = { workers: 2, min: 1, window: 64, grain }
    const tuner = new AutoTuner(options)
    expect(run(tuner, 8, 0.001).tuning).toMatchObject({ chunksize: 16, reason: 'window' })
    options.workers = 8
    expect(run(tuner, 2, 0.001).tuning).toMatchObject({ chunksize: 4, reason: 'window' })
  })
})
