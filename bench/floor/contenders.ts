/**
 * The physical floor of the cases: the same work by hand, without a library, on bare threads of all cores. Each shows
 * the least time that a library could need here. It has no bounds, no error handling and no general input.
 */
import { timed, type Contender } from '../harness/case.js'
import type { Log } from '../work/log.js'
import { digest } from '../work/spin.js'
import { add, merge, none } from '../work/totals.js'
import { fileParts } from './cuts.js'
import { ItemsInOrder, PartsInOrder } from './in-order.js'
import { LinesByHand } from './lines.js'
import { Threads, type Job } from './threads.js'

const FLOOR = { name: 'physical floor', kind: 'floor' } as const
const SPIN_PART = 100
const ROOT_PART = 10_000

/**
 * Each thread reads parts of the file, parses their lines to records, and adds these up. The main thread waits, and
 * adds up the sums of the threads.
 */
export const reduceFloor: Contender<Log> = {
  ...FLOOR,
  open: async ({ path, size }) => {
    const threads = await Threads.start()
    return {
      run: timed(async () => {
        const input = fileParts(path, size)
        const sums = await threads.run({ job: 'tally', input }, input.cuts.length - 1)
        return sums.reduce((all, { totals }) => (totals === undefined ? all : merge(all, totals)), none())
      }),
      close: () => threads.close(),
    }
  },
}

/**
 * Each thread reads parts of the file, and parses their lines to whole records. Only the two numbers that the consumer
 * adds up come to the main thread, as one array for each part. There a consumer takes them in order, one by one, by
 * `for await` over an iterator written by hand. Not in it: to carry the six strings of a record between threads.
 */
export const recordsFloor: Contender<Log> = {
  ...FLOOR,
  open: async ({ path, size }) => {
    const threads = await Threads.start()
    return {
      run: timed(async () => {
        const input = fileParts(path, size)
        const parts = new PartsInOrder(threads, { job: 'parse', input }, input.cuts.length - 1)
        const hits = new ItemsInOrder(parts, 2, (numbers, place) => ({
          status: numbers[place] ?? NaN,
          bytes: numbers[place + 1] ?? NaN,
        }))
        const totals = none()
        for await (const hit of hits) add(totals, hit)
        return totals
      }),
      close: () => threads.close(),
    }
  },
}

/** As `recordsFloor`, but the consumer takes arrays, and has a plain loop over each. */
export const recordChunksFloor: Contender<Log> = {
  name: 'physical floor, chunks',
  kind: 'floor',
  floorOf: 'millrace chunks()',
  open: async ({ path, size }) => {
    const threads = await Threads.start()
    return {
      run: timed(async () => {
        const input = fileParts(path, size)
        const totals = none()
        for await (const numbers of new PartsInOrder(threads, { job: 'parse', input }, input.cuts.length - 1)) {
          for (let i = 0; i < numbers.length; i += 2) {
            add(totals, { status: numbers[i] ?? NaN, bytes: numbers[i + 1] ?? NaN })
          }
        }
        return totals
      }),
      close: () => threads.close(),
    }
  },
}

/** One thread reads, cuts strings, and gives each to `for await`. Other threads cannot help: strings cannot be shared. */
export const linesFloor: Contender<Log> = {
  ...FLOOR,
  open: ({ path }) => ({
    run: timed(async () => {
      let count = 0
      let characters = 0
      for await (const line of new LinesByHand(path)) {
        count++
        characters += line.length
      }
      return [count, characters]
    }),
  }),
}

/** The results of a job on numbers, folded in order. Not in it: to pull the items from an iterable of the program. */
function numbersFloor<P>(
  jobOf: (parameters: P) => Job & { input: { count: number; size: number } },
  fold: (total: number, result: number) => number,
): Contender<P> {
  return {
    ...FLOOR,
    open: async (parameters) => {
      const threads = await Threads.start()
      return {
        run: timed(async () => {
          const job = jobOf(parameters)
          const parts = new PartsInOrder(threads, job, Math.ceil(job.input.count / job.input.size))
          let total = 0
          for await (const result of new ItemsInOrder(parts, 1, (numbers, i) => numbers[i] ?? NaN)) {
            total = fold(total, result)
          }
          return total
        }),
        close: () => threads.close(),
      }
    },
  }
}

/** Each thread makes and computes parts of 100 items. The main thread takes the results in order, one by one. */
export const spinFloor: Contender<{ steps: number; items: number }> = numbersFloor(
  ({ steps, items }) => ({ job: 'spin', steps, input: { count: items, size: SPIN_PART } }),
  digest,
)

/** The same for square roots: threads cost more here than the roots themselves. */
export const rootsFloor: Contender<{ count: number }> = numbersFloor(
  ({ count }) => ({ job: 'root', input: { count, size: ROOT_PART } }),
  (sum, root) => sum + root,
)

/** As `rootsFloor`, but the consumer takes arrays, and has a plain loop over each. */
export const rootChunksFloor: Contender<{ count: number }> = {
  name: 'physical floor, chunks',
  kind: 'floor',
  floorOf: 'millrace chunks()',
  open: async ({ count }) => {
    const threads = await Threads.start()
    const job = { job: 'root', input: { count, size: ROOT_PART } } as const
    return {
      run: timed(async () => {
        let sum = 0
        for await (const roots of new PartsInOrder(threads, job, Math.ceil(count / ROOT_PART))) {
          for (const root of roots) sum += root
        }
        return sum
      }),
      close: () => threads.close(),
    }
  },
}

/** Bare messages to bare threads that echo them, in any order: tasks per second. */
export const messagesFloor: Contender<{ tasks: number; atOnce: number }> = {
  ...FLOOR,
  open: async ({ tasks, atOnce }) => {
    const threads = await Threads.start('./echo.js')
    return {
      run: async () => {
        const start = performance.now()
        const answer = await threads.echo(tasks, atOnce)
        return { figure: (tasks * 1_000) / (performance.now() - start), answer }
      },
      close: () => threads.close(),
    }
  },
}
