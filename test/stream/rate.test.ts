import { Rate } from '#dist/stream/tuner.js'

function learnt(
  ...samples: readonly [amount: number | undefined, items: number, share?: number][]
): number | undefined {
  const rate = new Rate()
  for (const [amount, items, share = 1] of samples) rate.learn(amount, items, share)
  return rate.perItem
}

describe('Rate', () => {
  it('is unknown at first, and then that of its first sample', () => {
    expect(learnt()).toBeUndefined()
    expect(learnt([8, 4])).toBe(2)
    expect(learnt([0, 4])).toBe(0)
  })

  it('believes even a first sample that is hardly telling', () => {
    expect(learnt([8, 4, 0.01])).toBe(2)
  })

  it('moves a quarter of the way to a sample like those before it, up and down', () => {
    expect(learnt([4, 4], [8, 4])).toBe(1.25)
    expect(learnt([8, 4], [4, 4])).toBe(1.75)
  })

  it('moves less for a sample that is less telling', () => {
    expect(learnt([4, 4], [8, 4, 0.5])).toBe(1.125)
    expect(learnt([4, 4], [8000, 4, 0])).toBe(1)
  })

  it('takes a telling sample beyond three times, or below a third, at its word', () => {
    expect(learnt([4, 4], [13, 4])).toBe(3.25)
    expect(learnt([12, 4], [3.9, 4])).toBe(0.975)
    expect(learnt([4, 4], [12, 4])).toBe(1.5)
    expect(learnt([4, 4], [0, 4])).toBe(0)
    expect(learnt([0, 4], [4, 4])).toBe(1)
  })

  it('weighs no sample more than a full one', () => {
    expect(learnt([4, 4], [8, 4, 50])).toBe(1.25)
  })

  it('ignores a value that is not an amount, and says so', () => {
    const rate = new Rate()
    expect(rate.learn(4, 4, 1)).toBe(true)
    for (const amount of [undefined, NaN, -1, Infinity, -Infinity]) expect(rate.learn(amount, 4, 1)).toBe(false)
    for (const items of [0, -1, NaN, Infinity, Number.MIN_VALUE]) expect(rate.learn(4, items, 1)).toBe(false)
    expect(rate.perItem).toBe(1)
  })
})
