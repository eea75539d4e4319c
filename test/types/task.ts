/** The types that the compiler infers and refuses for `task` and `tasks`. This file is compiled, and not run. */
import { imap, pipe, reduce, starmap, task, tasks, type MadeByTask, type Stream, type TaskContext } from 'millrace'
import type { Equal, Expect } from './equal.js'
import type { Hit } from './hits.js'

// The context is typed without an annotation, after an item and after an accumulator.
export const enrich = task(import.meta.url, 'enrich', (hit: Hit, { signal, index }) => ({ ...hit, index, signal }))
export type EnrichContext = Expect<Equal<Parameters<typeof enrich>[1], TaskContext>>
export const named = task(import.meta.url, async function named(hit: Hit, context) {
  return Promise.resolve(hit.status + context.worker)
})
export type NamedContext = Expect<Equal<Parameters<typeof named>[1], TaskContext>>
export const upTo = task(import.meta.url, 'upTo', function* (n: number, { index }) {
  yield n + index
})
export type UpToContext = Expect<Equal<Parameters<typeof upTo>[1], TaskContext>>
export const count = task(import.meta.url, 'count', (total: number, hit: Hit, { index }) => total + hit.status + index)
export type CountContext = Expect<Equal<Parameters<typeof count>[2], TaskContext>>
export const counted = reduce(count, [] as Hit[], { initial: 0, merge: (a, b) => a + b, workers: 2 })
export type Counted = Expect<Equal<typeof counted, Promise<number>>>
// @ts-expect-error -- the context has no such property
task(import.meta.url, 'other', (hit: Hit, { item }) => [hit, String(item)])

// A parameter with a default has the type of the default, and is not a context.
export const split = task(import.meta.url, 'split', (line: string, separator = ',') => line.split(separator))
export type Split = Expect<Equal<Parameters<typeof split>[1], string | undefined>>
export const fields = imap(split, ['a,b'])
export type Fields = Expect<Equal<typeof fields, Stream<string[]>>>
export const staged = pipe(['a,b'], imap(split))
export type Staged = Expect<Equal<typeof staged, Stream<string[]>>>
export const starred = starmap(split, [['a,b'], ['a;b', ';']])
export type Starred = Expect<Equal<typeof starred, Promise<string[][]>>>

// Functions of several arguments, generic functions and type guards keep their types.
export const multiply = task(import.meta.url, 'multiply', (x: number, y: number) => x * y)
export type Multiply = Expect<Equal<Parameters<typeof multiply>, [x: number, y: number]>>
// @ts-expect-error -- the second argument is no context
imap(multiply, [1])
export const boxed = task(import.meta.url, 'boxed', <T>(item: T) => [item])
export type Boxed = Expect<Equal<typeof boxed, (<T>(item: T) => T[]) & MadeByTask>>

// tasks(): the same for several at once.
export const many = tasks(import.meta.url, {
  trim: (line: string) => line.trim(),
  at: (line: string, { index }) => line[index],
})
export type ManyContext = Expect<Equal<Parameters<(typeof many)['at']>[1], TaskContext>>
