import { AutoTuner } from '#dist/stream/auto-tuner.js'
import { defaultWindow } from '#dist/stream/window.js'
import { simulate } from '../support/simulation.js'

const MIB = 2 ** 20

describe('defaultWindow()', () => {
  it('is four chunks per worker', () => {
    expect(defaultWindow({ workers: 2, chunksize: 100 })).toBe(800)
    expect(defaultWindow({ workers: 16, chunksize: 1_000, bytesPerItem: 8 })).toBe(64_000)
  })

  it('is at least sixteen items per worker, so that chunks of a few have room to grow', () => {
    expect(defaultWindow({ workers: 2, chunksize: 1 })).toBe(32)
    expect(defaultWindow({ workers: 2, chunksize: 4 })).toBe(32)
    expect(defaultWindow({ workers: 2, chunksize: 5 })).toBe(40)
  })

  it('takes no more than 64 MiB', () => {
    expect(defaultWindow({ workers: 2, chunksize: 10, bytesPerItem: MIB })).toBe(64)
    expect(defaultWindow({ workers: 2, chunksize: 100, bytesPerItem: MIB / 10 })).toBe(640)
    expect(defaultWindow({ workers: 2, chunksize: 100, bytesPerItem: 0 })).toBe(800)
  })

  it('has room for two items per worker and for one chunk, with any number of bytes', () => {
    expect(defaultWindow({ workers: 4, chunksize: 1, bytesPerItem: 100 * MIB })).toBe(8)
    expect(defaultWindow({ workers: 4, chunksize: 50, bytesPerItem: 100 * MIB })).toBe(50)
  })

  it('does not get smaller with the chunksize, but with larger items', () => {
    expect(defaultWindow({ workers: 2, chunksize: 4 }, 8_000)).toBe(8_000)
    expect(defaultWindow({ workers: 2, chunksize: 2_000 }, 8_000)).toBe(16_000)
    expect(defaultWindow({ workers: 2, chunksize: 4, bytesPerItem: MIB }, 8_000)).toBe(64)
  })

  it('keeps workers busy when chunks shrink: those before them still take their room', () => {
    const workers = 16
    const costs = Float64Array.from({ length: 1_050_000 }, (_, index) => (index < 1_000_000 ? 0.001 : 0.1))
    const efficiency = (keep: boolean): number =>
      simulate({
        tuner: new AutoTuner({ workers, min: 1 }),
        workers,
        costs,
        window: (tuning, before) => defaultWindow({ workers, ...tuning }, keep ? before : 0),
        lengthKnown: true,
      }).efficiency
    expect(efficiency(true)).toBeGreaterThan(0.98)
    // Without the rule, the window would reach this size.
    expect(efficiency(false)).toBeLessThan(0.9)
  })
})
