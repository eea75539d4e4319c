/** The types that the compiler infers and refuses for `filter`. This file is compiled, and not run. */
import {
  filter,
  filterUnordered,
  imap,
  lines,
  pipe,
  Pool,
  task,
  type Stage,
  type Stream,
  type TaskReference,
} from 'millrace'
import type { Equal, Expect } from './equal.js'
import { parse, parseLine, type Hit } from './hits.js'

const failed = task(import.meta.url, 'failed', (hit: Hit) => hit.status >= 500)
const failedLater = task(import.meta.url, 'failedLater', (hit: Hit) => Promise.resolve(hit.status >= 500))
const isText = task(import.meta.url, 'isText', (item: unknown): item is string => typeof item === 'string')

// Results have the type of the item. The type that the task returns does not matter.
export const kept = pipe(lines('access.log'), imap(parse), filter(failed))
export type Kept = Expect<Equal<typeof kept, Stream<Hit>>>
export const keptLater = filterUnordered(failedLater, kept)
export type KeptLater = Expect<Equal<typeof keptLater, Stream<Hit>>>
export const ofPool = new Pool().filter(failed, kept, { errors: 'skip', chunksize: 7 })
export type OfPool = Expect<Equal<typeof ofPool, Stream<Hit>>>

// A type guard gives the stream its type.
export const texts = filter(isText, [1, 'one'] as unknown[])
export type Texts = Expect<Equal<typeof texts, Stream<string>>>
export const stagedTexts = pipe([1, 'one'] as unknown[], filter(isText))
export type StagedTexts = Expect<Equal<typeof stagedTexts, Stream<string>>>

// A task can accept a wider type than that of the items: the stream keeps their type.
const isError = task(import.meta.url, 'isError', (hit: { status: number }) => hit.status >= 500)
export const errors = pipe(lines('access.log'), imap(parse), filter(isError))
export type Errors = Expect<Equal<typeof errors, Stream<Hit>>>
export const direct = filter(isError, kept, { workers: 1 })
export type Direct = Expect<Equal<typeof direct, Stream<Hit>>>
export const paths = pipe(kept, filter(isError), filterUnordered(isError), async (hits) => {
  for await (const { path } of hits) return path
  return undefined
})
export type Paths = Expect<Equal<typeof paths, Promise<string | undefined>>>
export const stage: Stage<Hit, Hit> = filter(isError)
export const called = filter(isError)(kept)
export type Called = Expect<Equal<typeof called, Stream<Hit>>>
export const inline = pipe(
  kept,
  filter((hit: { status: number }) => hit.status >= 500, { workers: 0 }),
)
export type Inline = Expect<Equal<typeof inline, Stream<Hit>>>

// On this thread any function is accepted.
export const long = filter((line) => line.length > 80, ['GET /'], { workers: 0 })
export type Long = Expect<Equal<typeof long, Stream<string>>>

// { module, export } has the types of the module's export.
export const reference: TaskReference<typeof import('./hits.js'), 'parseLine'> = {
  module: new URL('./hits.js', import.meta.url),
  export: 'parseLine',
}
export const referred = pipe(lines('access.log'), filter(reference))
export type Referred = Expect<Equal<typeof referred, Stream<string>>>

// The results as arrays.
export const chunks = kept.chunks()
export const next = chunks.next()
export type Next = Expect<Equal<Awaited<typeof next>, IteratorResult<Hit[], undefined>>>

// @ts-expect-error -- a plain function cannot be found by another thread
filter(parseLine, ['GET /'])
// @ts-expect-error -- the task is for hits, the items are lines
filter(failed, ['GET /'])
// @ts-expect-error -- the same in a pipe
pipe(lines('access.log'), filter(failed))
// @ts-expect-error -- an item that is not kept has no outcome to settle
filter(failed, { errors: 'settle' })
