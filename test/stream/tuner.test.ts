import { FixedTuner, type Tuner } from '#dist/stream/tuner.js'

describe('FixedTuner', () => {
  it('always gives its fixed size', () => {
    const tuner: Tuner = new FixedTuner(7)
    expect(tuner.next()).toBe(7)
    tuner.record({ items: 7, time: 10_000, bytes: 2 ** 30 })
    expect(tuner.next()).toBe(7)
    expect(tuner.next(2)).toBe(7)
    expect(tuner.tuning).toMatchObject({ chunksize: 7, reason: 'fixed' })
  })

  it('gives the cost of an item, when it is known', () => {
    const tuner = new FixedTuner(10)
    expect(tuner.tuning).toEqual({ chunksize: 10, reason: 'fixed', timePerItem: undefined, bytesPerItem: undefined })
    tuner.record({ items: 10, time: 5 })
    expect(tuner.tuning).toMatchObject({ timePerItem: 0.5, bytesPerItem: undefined })
    tuner.record({ items: 10, time: undefined, bytes: 2_000 })
    expect(tuner.tuning).toMatchObject({ timePerItem: 0.5, bytesPerItem: 200 })
    tuner.record({ items: 10, time: 7, bytes: 2_400 })
    expect(tuner.tuning).toMatchObject({ timePerItem: 0.55, bytesPerItem: 210 })
  })

  it('gives the last chunk, which is not full, the weight of its items', () => {
    const tuner = new FixedTuner(10)
    tuner.record({ items: 10, time: 5 })
    tuner.record({ items: 1, time: 0.9 })
    expect(tuner.tuning.timePerItem).toBeCloseTo(0.51, 10)
  })
})
