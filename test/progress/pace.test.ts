import { Pace } from '#dist/progress/pace.js'

describe('a pace', () => {
  it('is unknown at the start, and then the average since the start', () => {
    const pace = new Pace()
    pace.note(1000, 0, 1000)
    expect(pace.perSecond).toBeUndefined()
    const later = new Pace()
    later.note(11_000, 500, 1000)
    expect(later.perSecond).toBe(50)
  })

  it('is that of the last ten seconds', () => {
    const pace = new Pace()
    let amount = 0
    for (let time = 0; time <= 60_000; time += 100) {
      amount += time < 30_000 ? 100 : 10
      pace.note(time, amount, 0)
    }
    expect(pace.perSecond).toBeCloseTo(100, -1)
  })

  it('falls to nothing when nothing happens', () => {
    const pace = new Pace()
    pace.note(0, 0, 0)
    pace.note(1000, 1000, 0)
    for (let time = 1100; time < 20_000; time += 100) pace.note(time, 1000, 0)
    expect(pace.perSecond).toBe(0)
  })
})
