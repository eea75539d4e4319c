/** The types that the compiler infers and refuses for `starmap` and `istarmap`. This file is compiled, and not run. */
import {
  imap,
  istarmap,
  istarmapUnordered,
  pipe,
  Pool,
  starmap,
  task,
  type Outcome,
  type Stream,
  type TaskReference,
} from 'millrace'
import type { Equal, Expect } from './equal.js'

function joinOf(text: string, times: number): string {
  return text.repeat(times)
}
const repeat = task(import.meta.url, 'repeat', joinOf)
const power = task(import.meta.url, 'power', async (base: number, exponent = 2) => Promise.resolve(base ** exponent))
const sum = task(import.meta.url, 'sum', (...numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
const lettered = new Map([['a', 1]])

// The items are tuples of the task's parameters, written out or from anywhere.
export const texts = starmap(repeat, [['a', 1]])
export type Texts = Expect<Equal<typeof texts, Promise<string[]>>>
export const fromMap = starmap(repeat, lettered)
export type FromMap = Expect<Equal<typeof fromMap, Promise<string[]>>>
export const readonlyItems = starmap(repeat, [['a', 1]] as const)
export type ReadonlyItems = Expect<Equal<typeof readonlyItems, Promise<string[]>>>
export const stream = istarmap(repeat, lettered.entries())
export type IsStream = Expect<Equal<typeof stream, Stream<string>>>
export const staged = pipe(lettered, istarmapUnordered(repeat, { window: 10 }))
export type Staged = Expect<Equal<typeof staged, Stream<string>>>

// Optional arguments can be left out. Given arguments must have the right type.
export const powers = starmap(power, [[2], [2, 3]])
export type Powers = Expect<Equal<typeof powers, Promise<number[]>>>
export const sums = new Pool().starmap(sum, [[], [1], [1, 2, 3]])
export type Sums = Expect<Equal<typeof sums, Promise<number[]>>>

export const outcomes = starmap(repeat, [['a', 1]], { errors: 'settle' })
export type Outcomes = Expect<
  Equal<typeof outcomes, Promise<Outcome<readonly [text: string, times: number], string>[]>>
>
export const ofPool = new Pool().istarmap(repeat, lettered, { errors: 'skip' })
export type OfPool = Expect<Equal<typeof ofPool, Stream<string>>>

// On this thread any function is accepted.
export const here = starmap((a: number, b: string) => b.repeat(a), [[1, 'a']], { workers: 0 })
export type Here = Expect<Equal<typeof here, Promise<string[]>>>
export const inferred = starmap((letter, n) => letter.length + n, lettered, { workers: 0 })
export type Inferred = Expect<Equal<typeof inferred, Promise<number[]>>>
export const stagedHere = pipe(
  lettered,
  istarmap((letter: string, n: number) => letter.repeat(n), { workers: 0 }),
)
export type StagedHere = Expect<Equal<typeof stagedHere, Stream<string>>>

// { module, export } has the parameters of the module's export, all of them.
export const reference: TaskReference<typeof import('./starmap.js'), 'shift'> = {
  module: import.meta.url,
  export: 'shift',
}
export function shift(n: number, by: bigint): number {
  return n + Number(by)
}
export const referred = starmap(reference, [[1, 2n]])
export type Referred = Expect<Equal<typeof referred, Promise<number[]>>>
export const untyped = starmap({ module: 'node:path', export: 'join' }, [['a', 'b']])
export type Untyped = Expect<Equal<typeof untyped, Promise<unknown[]>>>

// @ts-expect-error -- a wrong tuple: the second argument is a number
void starmap(repeat, [['a', 'b']])
// @ts-expect-error -- one argument is missing
void starmap(repeat, [['a']])
// @ts-expect-error -- one argument too many
void starmap(repeat, [['a', 1, 2]])
// @ts-expect-error -- an item is no array
void starmap(repeat, ['a', 'b'])
// @ts-expect-error -- how many there are cannot be known
void starmap(repeat, [] as string[][])
// @ts-expect-error -- the same as a stream
istarmap(repeat, [['a', 'b']])
// @ts-expect-error -- and in a pipe
pipe([1, 2], istarmap(repeat))
// @ts-expect-error -- and with a reference
void starmap(reference, [[1, 2]])
// @ts-expect-error -- and on this thread
void starmap((a: number, b: string) => b.repeat(a), [['a', 1]], { workers: 0 })
// @ts-expect-error -- a plain function cannot be found by another thread
void starmap(joinOf, [['a', 1]])
// @ts-expect-error -- it needs its source: istarmap() makes stages
void starmap(repeat)
// @ts-expect-error -- its second argument would be the context
imap(repeat, ['a'])
