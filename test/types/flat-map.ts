/** The types that the compiler infers and refuses for `flatMap`. This file is compiled, and not run. */
import { flatMap, flatMapUnordered, lines, pipe, Pool, task, type Stream } from 'millrace'
import type { Equal, Expect } from './equal.js'
import { parse, parseLine } from './hits.js'

const words = task(import.meta.url, 'words', (line: string) => line.split(' '))
const lengths = task(import.meta.url, 'lengths', function* (line: string) {
  for (const word of line.split(' ')) yield word.length
})
const wordsLater = task(import.meta.url, 'wordsLater', async (line: string) =>
  Promise.resolve(new Set(line.split(' '))),
)
const streamed = task(import.meta.url, 'streamed', async function* (line: string) {
  yield* line.split(' ').map((word) => Promise.resolve(word))
})
const promised = task(import.meta.url, 'promised', (line: string) => [Promise.resolve(line.length)])

// The elements of every type that has elements.
export const all = pipe(lines('access.log'), flatMap(words))
export type All = Expect<Equal<typeof all, Stream<string>>>
export const numbers = flatMapUnordered(lengths, all, { errors: 'skip' })
export type Numbers = Expect<Equal<typeof numbers, Stream<number>>>
export const later = new Pool().flatMap(wordsLater, all)
export type Later = Expect<Equal<typeof later, Stream<string>>>
export const bit = flatMap(streamed, all)
export type Bit = Expect<Equal<typeof bit, Stream<string>>>
export const awaited = flatMap(promised, all)
export type AwaitedElements = Expect<Equal<typeof awaited, Stream<number>>>

// On this thread any function is accepted.
export const here = flatMap((n) => [n, n], [1, 2], { workers: 0 })
export type Here = Expect<Equal<typeof here, Stream<number>>>

// @ts-expect-error -- a plain function cannot be found by another thread
flatMap((line: string) => [line], ['GET /'])
// @ts-expect-error -- a hit has no elements
flatMap(parse, ['GET /'])
// @ts-expect-error -- nor has it on this thread
flatMap(parseLine, ['GET /'], { workers: 0 })
// @ts-expect-error -- the task is for lines, the items are numbers
flatMap(words, [1, 2])
// @ts-expect-error -- there is no outcome of an item to settle
flatMap(words, { errors: 'settle' })
