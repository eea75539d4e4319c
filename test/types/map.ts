/** The types that the compiler infers and refuses for `map`. This file is compiled, and not run. */
import { imap, map, Pool, type Outcome, type TaskReference } from 'millrace'
import type { Equal, Expect } from './equal.js'
import { parse, parseLine, status, type Hit } from './hits.js'

export const hits = map(parse, ['GET /'])
export type Hits = Expect<Equal<typeof hits, Promise<Hit[]>>>
// The result of an async task is that of its promise. A stream is a source.
export const statuses = new Pool().map(status, imap(parse, ['GET /']), { chunksize: 10, window: 20, concurrency: 2 })
export type Statuses = Expect<Equal<typeof statuses, Promise<number[]>>>

// errors: 'settle' gives outcomes, and only that does.
export const outcomes = map(parse, ['GET /'], { errors: 'settle' })
export type Outcomes = Expect<Equal<typeof outcomes, Promise<Outcome<string, Hit>[]>>>
export const skipped = map(parse, ['GET /'], { errors: 'skip' })
export type Skipped = Expect<Equal<typeof skipped, Promise<Hit[]>>>

// On this thread any function is accepted. Its parameter takes its type from the source.
export const lengths = map((line) => line.length, ['GET /'], { workers: 0 })
export type Lengths = Expect<Equal<typeof lengths, Promise<number[]>>>
export const settledLengths = map((line) => line.length, ['GET /'], { workers: 0, errors: 'settle' })
export type SettledLengths = Expect<Equal<typeof settledLengths, Promise<Outcome<string, number>[]>>>

export const reference: TaskReference<typeof import('./hits.js'), 'parseLine'> = {
  module: new URL('./hits.js', import.meta.url),
  export: 'parseLine',
}
export const referred = map(reference, ['GET /'])
export type Referred = Expect<Equal<typeof referred, Promise<Hit[]>>>

// @ts-expect-error -- it needs its source: imap() makes stages
void map(parse)
// @ts-expect-error -- the same with options
void map(parse, { window: 10 })
// @ts-expect-error -- a plain function cannot be found by another thread
void map(parseLine, ['GET /'])
// @ts-expect-error -- the task is for lines, the items are numbers
void map(parse, [1, 2, 3])
// @ts-expect-error -- an unknown option
void map(parse, ['GET /'], { chunkSize: 10 })
void map(parse, ['GET /'], { workers: 2 })
