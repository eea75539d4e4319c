/** What progress shows of a pipeline at one moment. */
import { InputMeter } from '#dist/io/input-meter.js'
import { FigureReader, shareOf, type Figures } from '#dist/progress/figures.js'
import type { Origin } from '#dist/stream/origin.js'

interface Moment {
  readonly read: number
  readonly done: number
  readonly length?: number
}

/** After ten seconds of a source of 1,000 bytes, with a stage or without. */
function figuresOf({ read, done, length }: Moment, hasStage = true): Figures {
  let now = 0
  let moment = { read: 0, done: 0 }
  const input = {
    get read() {
      return moment.read
    },
    total: 1_000,
    began: 0,
    place: { path: 'a.csv', number: 1, count: 1 },
    lookUp: () => undefined,
  }
  const stage = {
    get done() {
      return moment.done
    },
    length,
    failed: 0,
    workers: 1,
    limit: undefined,
    occupancy: {
      get elapsed() {
        return now
      },
      busy: 1,
    },
  }
  const origin = { input, stages: hasStage ? [stage] : [] } as unknown as Origin
  const reader = new FigureReader(origin, { now: () => now } as never)
  reader.read()
  now = 10_000
  moment = { read, done }
  return reader.read()
}

it('the time that is left goes by bytes, until all of them are read', () => {
  expect(figuresOf({ read: 500, done: 10 }).timeLeft).toBeCloseTo(10_000, -3)
  expect(figuresOf({ read: 1_000, done: 10 }).timeLeft).toBeUndefined()
  expect(figuresOf({ read: 1_000, done: 10, length: 20 }).timeLeft).toBeCloseTo(10_000, -3)
  expect(figuresOf({ read: 1_000, done: 0 }, false).timeLeft).toBe(0)
})

it('the share is not the whole while items are in work', () => {
  expect(shareOf(figuresOf({ read: 500, done: 10 }))).toBe(0.5)
  expect(shareOf(figuresOf({ read: 1_000, done: 10 }))).toBe(0.99)
  expect(shareOf(figuresOf({ read: 1_000, done: 0 }, false))).toBe(1)
  expect(shareOf({ ...figuresOf({ read: 1_000, done: 10 }), state: 'done' })).toBe(1)
})

describe('figures of a run that goes on where an earlier one was', () => {
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
})
