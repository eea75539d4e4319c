/** An `AutoTuner` with whole inputs, in simulated time: see `support/simulation.ts`. */
import { AutoTuner } from '#dist/stream/auto-tuner.js'
import { FixedTuner, type Tuner } from '#dist/stream/tuner.js'
import { noop, parse, root } from '../fixtures/recorded-timings.js'
import { seeded, simulate, type Scenario, type Simulated, type SimulatedChunk } from '../support/simulation.js'

const TARGET = 4
const MIB = 2 ** 20

type Input = Omit<Scenario, 'tuner'> & { readonly min?: number; readonly most?: number }

/** `most`: the window, if there is a limit. */
function tuned({ min = 1, most, ...input }: Input): Simulated {
  const { workers } = input
  const tuner = new AutoTuner({ workers, min, window: most })
  return simulate({ ...input, tuner, ...(most !== undefined && { window: () => most }) })
}

function each(length: number, cost: (index: number) => number): Float64Array {
  return Float64Array.from({ length }, (_, index) => cost(index))
}

function total(costs: ArrayLike<number>): number {
  return Array.from(costs).reduce((sum, cost) => sum + cost, 0)
}

function quantile(
  chunks: readonly SimulatedChunk[],
  of: keyof SimulatedChunk & ('items' | 'compute'),
  q: number,
): number {
  const sorted = chunks.map((chunk) => chunk[of]).sort((a, b) => a - b)
  return sorted[Math.floor(q * sorted.length)] ?? NaN
}

function longest(chunks: readonly SimulatedChunk[]): number {
  return Math.max(...chunks.map(({ compute }) => compute))
}

describe('items that all cost the same', () => {
  it.each([
    { workers: 2, least: 0.98 },
    { workers: 8, least: 0.97 },
  ])('100,000 of 20 µs: $workers workers compute $least of their time', ({ workers, least }) => {
    const { efficiency, chunks } = tuned({ workers, costs: each(100_000, () => 0.02) })
    expect(efficiency).toBeGreaterThan(least)
    expect(longest(chunks)).toBeLessThanOrEqual(TARGET)
  })

  it.each([
    { workers: 1, least: 0.98 },
    { workers: 2, least: 0.98 },
    { workers: 4, least: 0.975 },
    { workers: 8, least: 0.97 },
    { workers: 16, least: 0.96 },
  ])('1,000,000 of 1 µs, known length: $workers workers compute $least of their time', ({ workers, least }) => {
    const { efficiency, chunks } = tuned({ workers, costs: each(1_000_000, () => 0.001), lengthKnown: true })
    expect(efficiency).toBeGreaterThan(least)
    expect(longest(chunks)).toBeLessThanOrEqual(TARGET)
  })

  it('items of 1 ms: two workers compute 0.97 of their time', () => {
    expect(tuned({ workers: 2, costs: each(2_000, () => 1) }).efficiency).toBeGreaterThan(0.97)
  })

  it('items of 100 ms go one by one', () => {
    const { efficiency, chunks } = tuned({ workers: 4, costs: each(100, () => 100) })
    expect(efficiency).toBeGreaterThan(0.99)
    expect(chunks).toHaveLength(100)
  })
})

describe('items that change their cost', () => {
  it.each([1, 2, 8, 16])('from 1 µs to 1 ms: %i workers get no more long chunks when the first is known', (workers) => {
    const { chunks } = tuned({ workers, costs: each(1_000_000 + 200_000, (index) => (index < 1_000_000 ? 0.001 : 1)) })
    const dear = chunks.filter(({ first }) => first >= 1_000_000)
    const known = Math.min(...dear.map(({ finished }) => finished))
    const after = dear.filter(({ submitted }) => submitted >= known)
    expect(after.length).toBeGreaterThan(1_000)
    // The chunk that showed it may have begun with cheap items.
    expect(longest(after)).toBeLessThanOrEqual(2 * TARGET)
    // The chunks that were under way: at most two for each worker, as long as their items make them.
    expect(dear.length - after.length).toBeLessThanOrEqual(2 * workers)
  })

  it.each([2, 8])('from 1 ms to 1 µs: %i workers lose little while chunks grow', (workers) => {
    const dear = 500 * workers
    const { chunks, efficiency } = tuned({
      workers,
      costs: each(dear + 500_000 * workers, (index) => (index < dear ? 1 : 0.001)),
    })
    expect(
      quantile(
        chunks.filter(({ first }) => first > dear),
        'items',
        0.5,
      ),
    ).toBeGreaterThan(3_000)
    expect(efficiency).toBeGreaterThan(0.97)
  })

  it('one item of 1 s among 4 µs: its chunk alone is long, and chunks are back within 30 ms of work', () => {
    const costs = each(1_000_000, (index) => (index === 300_000 ? 1_000 : 0.004))
    const { chunks } = tuned({ workers: 2, costs })
    const dear = chunks.findIndex(({ compute }) => compute >= 1_000)
    expect(longest(chunks.filter((_, chunkOffset) => chunkOffset !== dear))).toBeLessThanOrEqual(TARGET)
    const after = chunks.filter(({ submitted }) => submitted >= (chunks[dear]?.finished ?? NaN))
    const back = after.findIndex(({ items }) => items > 900)
    expect(after[0]?.items).toBeLessThan(10)
    expect(back).toBeGreaterThan(0)
    expect(total(after.slice(0, back).map(({ compute }) => compute))).toBeLessThan(30)
  })

  it.each([
    { share: 0.1, dear: 1, cheap: 0.001 },
    { share: 0.01, dear: 10, cheap: 0.002 },
    { share: 0.5, dear: 0.1, cheap: 0.01 },
  ])('dear ones ($dear ms, a share of $share) among cheap ones: little is lost', ({ share, dear, cheap }) => {
    const random = seeded(5)
    for (const workers of [2, 8]) {
      const costs = each(300_000, () => (random() < share ? dear : cheap))
      const { chunks, efficiency } = tuned({ workers, costs })
      expect(efficiency).toBeGreaterThan(0.97)
      expect(quantile(chunks, 'compute', 0.95)).toBeLessThan(2.5 * Math.max(TARGET, dear))
    }
  })
})

describe('disturbed times', () => {
  /** The sizes in the steady state: without the first half, in which they grow, and without the tail. */
  const settled = ({ chunks }: Simulated): SimulatedChunk[] => chunks.slice(chunks.length / 2, -100)

  it('noise of ±50 %: nine of ten chunks are within a quarter of the mean, and none is twice as large', () => {
    for (const workers of [2, 8]) {
      const random = seeded(3)
      const result = tuned({ workers, costs: each(200_000, () => 0.02), disturb: (time) => time * (0.5 + random()) })
      expect(quantile(settled(result), 'items', 0.05)).toBeGreaterThan(150)
      expect(quantile(settled(result), 'items', 0.95)).toBeLessThan(250)
      expect(quantile(settled(result), 'items', 1 - 1e-9)).toBeLessThan(400)
      expect(result.efficiency).toBeGreaterThan(0.97)
    }
  })

  it('a pause of 10 ms in 3 of 100 chunks: nine of ten are still within a half of the undisturbed size', () => {
    for (const workers of [2, 8]) {
      const random = seeded(4)
      const pauses = (time: number): number => time + (random() < 0.03 ? 10 : 0)
      const result = tuned({ workers, costs: each(200_000, () => 0.02), disturb: pauses })
      expect(quantile(settled(result), 'items', 0.1)).toBeGreaterThan(100)
      expect(quantile(settled(result), 'items', 0.5)).toBeGreaterThan(190)
      expect(quantile(settled(result), 'items', 1 - 1e-9)).toBeLessThanOrEqual(200)
      expect(result.efficiency).toBeGreaterThan(0.97)
    }
  })

  it.each([
    { task: 'noop', recorded: noop },
    { task: 'root', recorded: root },
    { task: 'parse', recorded: parse },
  ])('what really happened to $task: at most 5 % slower than at the size that would have been best', ({ recorded }) => {
    const { cost, delays } = timings(recorded)
    for (const workers of [2, 8]) {
      const costs = new Float64Array((workers * 100) / cost).fill(cost)
      const best = new FixedTuner(Math.min(8_192, Math.floor(TARGET / cost)))
      const makespan = (tuner: Tuner): number => simulate({ tuner, workers, costs, disturb: delays() }).makespan
      expect(makespan(new AutoTuner({ workers, min: 1 }))).toBeLessThan(makespan(best) * 1.05)
    }
  })
})

/**
 * The typical cost of an item in a recording, and the extra delays. Each delay comes after the same amount of work as
 * in the recording, in chunks of any size. The recording repeats.
 */
function timings(recorded: readonly number[]): { cost: number; delays: () => (compute: number) => number } {
  const chunks = Array.from({ length: recorded.length / 2 }, (_, chunk) => ({
    items: recorded[2 * chunk] ?? NaN,
    time: recorded[2 * chunk + 1] ?? NaN,
  })).filter(({ items }) => items >= 256)
  const costs = chunks.map(({ items, time }) => time / items).sort((a, b) => a - b)
  const cost = costs[Math.floor(costs.length / 2)] ?? NaN
  const delays = () => {
    let [work, recordedWork, next] = [0, 0, 0]
    return (compute: number): number => {
      let time = compute
      for (work += compute; recordedWork <= work; next++) {
        const chunk = chunks[next % chunks.length] ?? { items: NaN, time: NaN }
        recordedWork += chunk.items * cost
        time += Math.max(0, chunk.time - chunk.items * cost)
      }
      return time
    }
  }
  return { cost, delays }
}

describe('bytes', () => {
  it('results of 10 MiB: single items from the first on', () => {
    const { chunks } = tuned({ workers: 4, costs: each(200, () => 0.001), bytes: () => 10 * MIB })
    expect(chunks).toHaveLength(200)
  })

  it('small results, then huge ones: single items as soon as the first are known', () => {
    const bytes = (index: number): number => (index < 50_000 ? 100 : 10 * MIB)
    const { chunks } = tuned({ workers: 4, costs: each(100_000, () => 0.001), bytes })
    const huge = chunks.filter(({ first }) => first >= 50_000)
    const known = Math.min(...huge.map(({ finished }) => finished))
    const after = huge.filter(({ submitted }) => submitted > known)
    expect(after.length).toBeGreaterThan(1_000)
    expect(new Set(after.map(({ items }) => items))).toEqual(new Set([1]))
  })

  it('results of 200 bytes: chunks of at most 256 KiB, and near that', () => {
    const { chunks } = tuned({ workers: 2, costs: each(1_000_000, () => 0.0001), bytes: () => 200 })
    expect(quantile(chunks, 'items', 0.5)).toBe(Math.floor(MIB / 4 / 200))
    expect(quantile(chunks, 'items', 1 - 1e-9)).toBe(Math.floor(MIB / 4 / 200))
  })
})

describe('tiny windows', () => {
  it.each([
    { workers: 2, most: 4 },
    { workers: 4, most: 9 },
    { workers: 8, most: 16 },
    { workers: 2, most: 100 },
  ])('window $most, $workers workers: all have work', ({ workers, most }) => {
    const { chunks, efficiency } = tuned({ workers, most, costs: each(2_000, () => 5) })
    expect(quantile(chunks, 'items', 1 - 1e-9)).toBe(1)
    expect(efficiency).toBeGreaterThan(0.98)
    const cheap = tuned({ workers, most, costs: each(20_000, () => 0.001) })
    expect(quantile(cheap.chunks, 'items', 1 - 1e-9)).toBe(Math.max(1, Math.floor(most / (2 * workers))))
    expect(new Set(cheap.chunks.slice(0, 2 * workers).map(({ submitted }) => submitted))).toEqual(new Set([0]))
  })
})

describe('a slow source', () => {
  it('waits for no chunk to fill: each item is submitted as it arrives', () => {
    const { chunks } = tuned({ workers: 2, costs: each(1_000, () => 0.01), arrival: (index) => index * 10 })
    expect(chunks).toHaveLength(1_000)
    expect(chunks.every(({ first, submitted }) => submitted === first * 10)).toBe(true)
  })

  it('grows by no chunk that was not full, and grows when the source does not keep it waiting any more', () => {
    const arrival = (index: number): number => Math.min(index, 1_000) * 10
    const { chunks } = tuned({ workers: 2, costs: each(101_000, () => 0.01), arrival })
    expect(chunks[999]?.tuning.chunksize).toBeLessThanOrEqual(2)
    expect(quantile(chunks.slice(1_000), 'items', 0.5)).toBeGreaterThan(350)
  })

  it('still knows, after a pause, the size that a burst needs', () => {
    // 100,000 items at once, 200 one by one, and 100,000 at once.
    const arrival = (index: number): number => Math.max(0, Math.min(index - 100_000, 200)) * 20
    const { chunks } = tuned({ workers: 2, costs: each(200_200, () => 0.01), arrival })
    const burst = chunks.filter(({ first }) => first > 100_200)
    expect(
      burst
        .slice(0, 10)
        .map(({ items }) => items)
        .every((items) => items > 300),
    ).toBe(true)
  })
})

describe('a known length', () => {
  const ideal = (costs: ArrayLike<number>, workers: number): number => total(costs) / workers

  it.each([1, 2, 3, 4, 8, 16])('workers finish together: %i of them, 200 ms of work for each', (workers) => {
    for (const cost of [0.001, 0.02, 0.5]) {
      const costs = each((200 * workers) / cost, () => cost)
      const { makespan, chunks } = tuned({ workers, costs, lengthKnown: true })
      expect(makespan).toBeLessThan(ideal(costs, workers) * 1.025)
      const last = chunks.slice(-workers).map(({ finished }) => finished)
      expect(makespan - Math.min(...last)).toBeLessThan(1)
    }
  })

  it.each([2, 4, 16])('workers finish together, whatever single items cost: %i of them', (workers) => {
    const random = seeded(7)
    const costs = each(200 * workers * 10, () => -0.1 * Math.log(1 - random()))
    const known = tuned({ workers, costs, lengthKnown: true })
    expect(known.makespan).toBeLessThan(ideal(costs, workers) * 1.03)
    expect(known.makespan).toBeLessThan(tuned({ workers, costs }).makespan)
  })

  it.each([
    { items: 10, workers: 4, cost: 100, min: 1 },
    { items: 10, workers: 4, cost: 100, min: 32 },
    { items: 100, workers: 4, cost: 10, min: 1 },
    { items: 1, workers: 4, cost: 10, min: 8 },
    { items: 3, workers: 4, cost: 10, min: 8 },
  ])('a short input: $items items of $cost ms, $workers workers, minimum $min', ({ items, workers, cost, min }) => {
    const { makespan, chunks } = tuned({ workers, min, costs: each(items, () => cost), lengthKnown: true })
    expect(quantile(chunks, 'items', 1 - 1e-9)).toBeLessThanOrEqual(min > 1 ? Math.ceil(items / workers) : 2)
    // No worker has more of them than necessary, or only one more, if it got two together.
    const rounds = Math.ceil(items / workers) + (min > 1 && items > workers ? 1 : 0)
    expect(makespan).toBeLessThan(rounds * (cost + 1))
  })
})
