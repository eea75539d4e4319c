/** The figures of a run that goes on where an earlier one was. */
import { InputMeter } from '#dist/io/input-meter.js'
import { FigureReader, shareOf } from '#dist/progress/figures.js'

it('have the share of the whole, and the rate of this run', () => {
  const meter = new InputMeter()
  const [done, file] = [meter.add('done.csv'), meter.add('a.csv')]
  Object.assign(done, { size: 1_000 })
  Object.assign(file, { size: 9_000 })
  let now = meter.began ?? 0
  const clock = { now: () => now, every: () => () => undefined }
  meter.pass(1_000, true)
  meter.pass(4_000, false)
  meter.reach()
  const reader = new FigureReader({ input: meter, stages: [] }, clock)
  now = meter.began ?? 0
  file.read += 1_000
  now += 2_000
  const figures = reader.read()
  expect(figures).toMatchObject({ bytesRead: 6_000, bytesEarlier: 5_000, bytesTotal: 10_000, bytesPerSecond: 500 })
  expect(shareOf(figures)).toBe(0.6)
  expect(figures.timeLeft).toBe(8_000)
  reader.end('done')
  expect(reader.read().bytesPerSecond).toBe(500)
})

it('of a run that begins at its start have none of an earlier one', () => {
  const meter = new InputMeter()
  meter.add('a.csv')
  const reader = new FigureReader({ input: meter, stages: [] }, { now: () => 0, every: () => () => undefined })
  expect(reader.read().bytesEarlier).toBeUndefined()
})
