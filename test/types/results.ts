/** The types that the compiler infers and refuses for the results of streams. This file is compiled, and not run. */
import { batch, imap, lines, pipe, type Results } from 'millrace'
import type { Equal, Expect } from './equal.js'
import { parse, type Hit } from './hits.js'

const hits = imap(parse, lines('access.log'))

export const all = hits.toArray()
export type All = Expect<Equal<typeof all, Promise<Hit[]>>>
export const part = hits.drop(10).take(5)
export type Part = Expect<Equal<typeof part, Results<Hit>>>
export const partly = part.toArray()
export type Partly = Expect<Equal<typeof partly, Promise<Hit[]>>>
export const again = imap((hit) => hit.path, part, { workers: 0 }).toArray()
export type Again = Expect<Equal<typeof again, Promise<string[]>>>
export const iterator: AsyncIterableIterator<Hit, undefined> & AsyncDisposable = part

// @ts-expect-error -- a count is a number
hits.take('5')
// @ts-expect-error -- and must be given
hits.drop()

export const batches = batch(10, hits)
export type Batches = Expect<Equal<typeof batches, Results<Hit[]>>>
export const pipedBatches = pipe(lines('access.log'), imap(parse), batch(10))
export type PipedBatches = Expect<Equal<typeof pipedBatches, Results<Hit[]>>>
export const awaited = batch(10, [Promise.resolve(1)])
export type OfPromises = Expect<Equal<typeof awaited, Results<number[]>>>

// @ts-expect-error -- the size comes first
batch([1], 10)
// @ts-expect-error -- and must be given
batch()
