/** The types that the compiler infers and refuses for `reduce`. This file is compiled, and not run. */
import { imap, lines, pipe, Pool, reduce, task, type Source, type TaskContext } from 'millrace'
import type { Equal, Expect } from './equal.js'
import { parse, type Hit } from './hits.js'

const countByStatus = task(import.meta.url, 'countByStatus', (counts: Map<number, number>, hit: Hit) =>
  counts.set(hit.status, (counts.get(hit.status) ?? 0) + 1),
)
const add = task(import.meta.url, 'add', async (sum: number, n: number) => Promise.resolve(sum + n))
const merge = (into: Map<number, number>, partial: Map<number, number>) => {
  for (const [status, count] of partial) into.set(status, (into.get(status) ?? 0) + count)
  return into
}
const plus = (a: number, b: number) => a + b
const initial = new Map<number, number>()

// The last of a pipe gives the promise of an accumulator.
export const counts = pipe(lines('access.log'), imap(parse), reduce(countByStatus, { initial, merge }))
export type Counts = Expect<Equal<typeof counts, Promise<Map<number, number>>>>

export const sum = reduce(add, [1, 2], { initial: 0, merge: plus, ordered: false, errors: 'skip' })
export type Sum = Expect<Equal<typeof sum, Promise<number>>>
export const ofPool = new Pool().reduce(add, [1, 2], { initial: 0, merge: async (a, b) => Promise.resolve(a + b) })
export type OfPool = Expect<Equal<typeof ofPool, Promise<number>>>
export const sink = reduce(add, { initial: 0, merge: plus })
export const folded: (source: Source<number>) => Promise<number> = sink
export const pipedInto = pipe([1, 2], sink)
export type PipedInto = Expect<Equal<typeof pipedInto, Promise<number>>>

// On this thread any function is accepted.
export const here = reduce((total: number, line: string) => total + line.length, ['GET /'], {
  initial: 0,
  merge: plus,
  workers: 0,
})
export type Here = Expect<Equal<typeof here, Promise<number>>>
export const fold = (total: number, line: string, { index, signal }: TaskContext): number =>
  signal.aborted ? total : total + line.length + index
export const withContext = reduce(fold, ['GET /'], { initial: 0, merge: plus, workers: 0 })
export type WithContext = Expect<Equal<typeof withContext, Promise<number>>>

// @ts-expect-error -- a plain function cannot be found by another thread
void reduce((a: number, b: number) => a + b, [1, 2], { initial: 0, merge: plus })
// @ts-expect-error -- 'merge' is missing
void reduce(add, [1, 2], { initial: 0 })
// @ts-expect-error -- 'initial' is missing
void reduce(add, [1, 2], { merge: plus })
// @ts-expect-error -- the accumulator is a number
void reduce(add, [1, 2], { initial: '', merge: plus })
// @ts-expect-error -- the fold is for numbers, the items are texts
void reduce(add, ['1', '2'], { initial: 0, merge: plus })
// @ts-expect-error -- there is no outcome of an item to settle
void reduce(add, [1, 2], { initial: 0, merge: plus, errors: 'settle' })
// @ts-expect-error -- a fold takes one item after another
void reduce(add, [1, 2], { initial: 0, merge: plus, concurrency: 2 })
