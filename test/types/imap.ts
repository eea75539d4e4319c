/** The types that the compiler infers and refuses for `imap`. This file is compiled, and not run. */
import { imap, imapUnordered, lines, pipe, Pool, type Outcome, type Stream, type TaskReference } from 'millrace'
import type { Equal, Expect } from './equal.js'
import { parse, parseLine, status, type Hit } from './hits.js'

// A stage in a pipe takes its item from the task. The pipe passes its result on.
export const hits = pipe(lines('access.log'), imap(parse))
export type Hits = Expect<Equal<typeof hits, Stream<Hit>>>

// The result of an async task is that of its promise, as with `await`.
export const statuses = pipe(lines('access.log'), imap(parse, { window: 10 }), imapUnordered(status))
export type Statuses = Expect<Equal<typeof statuses, Stream<number>>>

export const collected = pipe(lines('access.log'), imap(parse), async (source) => {
  const paths = []
  for await (const hit of source) paths.push(hit.path)
  return paths
})
export type Collected = Expect<Equal<typeof collected, Promise<string[]>>>

export const direct = imap(parse, ['GET /'])
export type Direct = Expect<Equal<typeof direct, Stream<Hit>>>

export const ofPool = new Pool({ workers: 2 }).imap(status, direct)
export type OfPool = Expect<Equal<typeof ofPool, Stream<number>>>

// @ts-expect-error -- a plain function cannot be found by another thread
imap(parseLine, ['GET /'])
// @ts-expect-error -- nor can a closure
imap((line: string) => line.length, ['GET /'])
// @ts-expect-error -- the same as a stage
imap(parseLine)
// @ts-expect-error -- and as a stage with options
imap((line: string) => line.length, { window: 10 })

// @ts-expect-error -- the task is for lines, the items are numbers
imap(parse, [1, 2, 3])
// @ts-expect-error -- the same in a pipe
pipe([1, 2, 3], imap(parse))
// @ts-expect-error -- and between two stages
pipe(lines('access.log'), imap(status))

// errors: 'settle' gives outcomes, and only that does.
export const outcomes = imap(parse, ['GET /'], { errors: 'settle' })
export type Outcomes = Expect<Equal<typeof outcomes, Stream<Outcome<string, Hit>>>>
export const stageOutcomes = pipe([{ path: '/', status: 200 }], imap(status, { errors: 'settle' }))
export type StageOutcomes = Expect<Equal<typeof stageOutcomes, Stream<Outcome<Hit, number>>>>
export const skipped = imap(parse, ['GET /'], { errors: 'skip' })
export type Skipped = Expect<Equal<typeof skipped, Stream<Hit>>>

// On this thread any function is accepted. Its parameter takes its type from the source.
export const lengths = imap((line) => line.length, ['GET /'], { workers: 0 })
export type Lengths = Expect<Equal<typeof lengths, Stream<number>>>
export const settledLengths = imap((line) => line.length, ['GET /'], { workers: 0, errors: 'settle' })
export type SettledLengths = Expect<Equal<typeof settledLengths, Stream<Outcome<string, number>>>>
export const pipedLengths = pipe(
  lines('access.log'),
  imap((line: string) => line.length, { workers: 0 }),
)
export type PipedLengths = Expect<Equal<typeof pipedLengths, Stream<number>>>
export const tasksToo = imap(parse, ['GET /'], { workers: 0 })
export type TasksToo = Expect<Equal<typeof tasksToo, Stream<Hit>>>
// @ts-expect-error -- the function is for numbers, the items are strings
imap((n: number) => n + 1, ['GET /'], { workers: 0 })

// { module, export } has the types of the module's export.
export const reference: TaskReference<typeof import('./hits.js'), 'parseLine'> = {
  module: new URL('./hits.js', import.meta.url),
  export: 'parseLine',
}
export const referred = pipe(lines('access.log'), imap(reference))
export type Referred = Expect<Equal<typeof referred, Stream<Hit>>>
// @ts-expect-error -- the function is for lines, the items are numbers
imap(reference, [1, 2, 3])
// @ts-expect-error -- the module has no such export
export type NoExport = TaskReference<typeof import('./hits.js'), 'parseLines'>

// @ts-expect-error -- an unknown option
imap(parse, { chunkSize: 10 })
// @ts-expect-error -- a mode that there is not
imap(parse, { workers: '2' })

// At most this many workers of the pool. A closure needs this thread.
export const two = imap(parse, ['GET /'], { workers: 2, timeout: Infinity })
export type Two = Expect<Equal<typeof two, Stream<Hit>>>
// @ts-expect-error -- a closure on two workers
imap((line: string) => line.length, ['GET /'], { workers: 2 })

// Stages take the types of their items from the pipe.
export const inferred = pipe(
  lines('access.log'),
  imap((line) => line.length, { workers: 0 }),
)
export type Inferred = Expect<Equal<typeof inferred, Stream<number>>>

// A source that is a function, and a stage of another library.
export const ofFunction = pipe(
  () => ['GET /'],
  imap(parse),
  async (source) => (await source.next()).done,
)
export type OfFunction = Expect<Equal<typeof ofFunction, Promise<boolean | undefined>>>
// @ts-expect-error -- a task without a verb
pipe(['GET /'], parse)
