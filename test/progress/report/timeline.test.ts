import { Timeline, type Sample } from '#dist/progress/report/timeline.js'
import { Histogram } from '#dist/progress/report/histogram.js'

function sample(time: number, more: Partial<Sample> = {}): Sample {
  const zero = {
    items: 0,
    bytes: 0,
    failed: 0,
    computed: 0,
    memory: 1,
    heap: 1,
    arrived: 0,
    arrivedTime: 0,
    slowest: 0,
    chunks: 0,
  }
  return { time, ...zero, ...more }
}

describe('a timeline', () => {
  it('has rates and averages of the time since the sample before', () => {
    const timeline = new Timeline(100)
    timeline.add(
      sample(1000, { items: 10, bytes: 500, computed: 500, arrived: 10, arrivedTime: 20, slowest: 9, chunks: 2 }),
    )
    timeline.add(sample(3000, { items: 50, bytes: 500, computed: 4500, failed: 3 }))
    expect(timeline.columns(2)).toEqual({
      time: [1, 3],
      itemsPerSecond: [10, 20],
      bytesPerSecond: [500, 0],
      busy: [0.25, 1],
      itemTime: [2, null],
      slowestItemTime: [9, null],
      itemsPerChunk: [5, null],
      failed: [0, 3],
      memory: [1, 1],
      heap: [1, 1],
    })
  })

  it('stays bounded for a night, and loses neither a peak nor an item', () => {
    const timeline = new Timeline(100)
    let time = 0
    let arrived = 0
    let most = 0
    while (time < 10 * 3_600_000) {
      time += timeline.interval
      const isPeak = arrived === 777
      arrived++
      timeline.add(
        sample(time, {
          items: arrived,
          arrived: 1,
          arrivedTime: 2,
          slowest: isPeak ? 5000 : 3,
          chunks: 1,
          memory: isPeak ? 9e8 : 1e8,
        }),
      )
      most = Math.max(most, timeline.columns(1).time.length)
    }
    const { time: times, slowestItemTime, itemsPerChunk, itemTime, memory } = timeline.columns(1)
    expect(most).toBeLessThanOrEqual(600)
    expect(times.length).toBeGreaterThanOrEqual(300)
    expect(times.at(-1)).toBeCloseTo(time / 1000, -2)
    expect(times).toEqual([...times].sort((one, other) => one - other))
    expect(Math.max(...slowestItemTime.map(Number))).toBe(5000)
    expect(Math.max(...memory)).toBe(9e8)
    expect(timeline.peakMemory).toBe(9e8)
    expect(new Set(itemsPerChunk)).toEqual(new Set([1]))
    expect(new Set(itemTime)).toEqual(new Set([2]))
  })

  it('joins a sample that comes right after another one: its rate would be noise', () => {
    const timeline = new Timeline(100)
    timeline.add(sample(100, { items: 10 }))
    timeline.add(sample(200, { items: 20, arrived: 10, slowest: 5, chunks: 1 }))
    timeline.add(sample(201, { items: 30, arrived: 10, slowest: 4, chunks: 1 }))
    const { time, itemsPerSecond, slowestItemTime, itemsPerChunk } = timeline.columns(1)
    expect([time, itemsPerSecond, slowestItemTime[1], itemsPerChunk[1]]).toEqual([[0.1, 0.201], [100, 198], 5, 10])
  })
})

describe('a histogram', () => {
  it('has the quantiles of its items, to a third of a doubling', () => {
    const histogram = new Histogram()
    expect([histogram.buckets, histogram.quantile(0.5)]).toEqual([[], 0])
    for (let n = 1; n <= 1000; n++) histogram.add(n / 10, 1)
    for (const [share, exact] of [
      [0.5, 50],
      [0.9, 90],
      [0.99, 99],
    ] as const) {
      expect(histogram.quantile(share)).toBeGreaterThanOrEqual(exact)
      expect(histogram.quantile(share)).toBeLessThan(exact * 1.27)
    }
    expect(histogram.buckets.reduce((sum, { items }) => sum + items, 0)).toBe(1000)
  })

  it('takes any time', () => {
    const histogram = new Histogram()
    histogram.add(0, 5)
    histogram.add(1e12, 1)
    expect(histogram.buckets[0]).toEqual({ below: 0.001, items: 5 })
    expect(histogram.buckets.at(-1)?.items).toBe(1)
  })
})
