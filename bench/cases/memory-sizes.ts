/**
 * Peak memory for growing inputs, windows and records. Nothing is warmed up: the sizes show where the rise ends. The
 * control has the same records from a plain async generator, without a library or threads.
 */
import type { Case, Contender, Goal } from '../harness/case.js'
import { consume, peak, plainRecords, records, type RecordSize } from '../work/memory.js'
import type { SmallRecord } from '../work/tasks.js'

/** From the third size on, the memory should not grow. A large record counts as several small ones. */
const SIZES: Readonly<Record<RecordSize, readonly number[]>> = {
  small: [100_000, 1_000_000, 10_000_000, 40_000_000],
  large: [20_000, 200_000, 5_000_000, 20_000_000],
}
const WINDOWS = [1_000, 100_000]

interface Work {
  readonly scale: number
}

function contender(
  name: string,
  count: number,
  stream: (count: number) => AsyncIterable<SmallRecord>,
): Contender<Work> {
  return {
    name,
    open: ({ scale }) => ({
      run: async () => {
        const scaled = Math.ceil(count * scale)
        await consume(stream(scaled), scaled)
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
    for (const count of SIZES[size]) {
      contenders.push(contender(name(count), count, (n) => records(size, n, { window })))
    }
    const [many = 0, most = 0] = SIZES[size].slice(-2)
    goals.push({ ours: name(most), against: name(many), measure: 'growth', atMost: 10 })
  }
}
for (const count of SIZES.small) {
  contenders.push(contender(`plain loop: ${count.toLocaleString('en')}`, count, plainRecords))
}

const memorySizesCase: Case<Work> = {
  name: 'memory-sizes',
  title: 'peak memory by size of input, window and record',
  unit: { name: 'MB', digits: 0, better: 'less' },
  cold: true,
  prepare: (scale) => ({
    parameters: { scale },
    answer: 'all in order',
    about: `each time in a new process, cold${scale === 1 ? '' : `; all sizes times ${scale}`}`,
  }),
  contenders,
  goals,
}

export default memorySizesCase
