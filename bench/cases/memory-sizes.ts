/**
 * Peak memory against input size, window and record size: flat means flat. Beside it, without a warm-up, a control: the same
 * records from a plain async generator, with no library and no threads.
 */
import type { Case, Contender, Goal } from '../harness/case.js'
import { consume, peak, plainRecords, records, type RecordSize } from '../work/memory.js'
import type { SmallRecord } from '../work/tasks.js'

/** The middle one is the warm-up too. A large record is as much as several small ones. */
const SIZES: Readonly<Record<RecordSize, readonly number[]>> = {
  small: [100_000, 1_000_000, 10_000_000],
  large: [20_000, 200_000, 2_000_000],
}
const WINDOWS = [1_000, 100_000]

interface Work {
  readonly scale: number
}

function contender(
  name: string,
  count: number,
  warmUp: number,
  stream: (count: number) => AsyncIterable<SmallRecord>,
): Contender<Work> {
  return {
    name,
    open: ({ scale }) => ({
      run: async () => {
        for (const n of [warmUp, count].map((n) => Math.ceil(n * scale))) await consume(stream(n), n)
        return { figure: peak(), answer: 'all in order' }
      },
    }),
  }
}

const contenders: Contender<Work>[] = []
const goals: Goal[] = []
for (const size of ['small', 'large'] as const) {
  for (const window of WINDOWS) {
    const name = (count: number): string =>
      `${size} records, window ${window.toLocaleString('en')}: ${count.toLocaleString('en')}`
    const [few = 0, some = 0, many = 0] = SIZES[size]
    for (const count of [few, some, many]) {
      contenders.push(contender(name(count), count, some, (n) => records(size, n, { window })))
    }
    goals.push({ ours: name(many), against: name(some), measure: 'growth', atMost: 10 })
  }
}
for (const count of SIZES.small) {
  contenders.push(contender(`cold: ${count.toLocaleString('en')}`, count, 0, (n) => records('small', n)))
}
for (const count of SIZES.small) {
  contenders.push(contender(`plain loop, cold: ${count.toLocaleString('en')}`, count, 0, plainRecords))
}

const memorySizesCase: Case<Work> = {
  name: 'memory-sizes',
  title: 'peak memory by size of input, window and record',
  unit: { name: 'MB', digits: 0, better: 'less' },
  cold: true,
  prepare: (scale) => ({
    parameters: { scale },
    answer: 'all in order',
    about: `each time in a new process, after a warm-up of the second size${scale === 1 ? '' : `; all sizes times ${scale}`}`,
  }),
  contenders,
  goals,
}

export default memorySizesCase
