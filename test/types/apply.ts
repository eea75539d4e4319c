/** The types that the compiler infers and refuses for `apply`. This file is compiled, and not run. */
import { apply, Pool, task, type TaskReference } from 'millrace'
import type { Equal, Expect } from './equal.js'

const now = task(import.meta.url, 'now', () => Date.now())
const power = task(import.meta.url, 'power', async (base: number, exponent = 2) => Promise.resolve(base ** exponent))
const plain = (n: number, text: string) => text.repeat(n)

export const time = apply(now)
export type Time = Expect<Equal<typeof time, Promise<number>>>
export const square = apply(power, [3])
export type Square = Expect<Equal<typeof square, Promise<number>>>
export const cube = new Pool().apply(power, [3, 3], { timeout: 1_000, signal: AbortSignal.timeout(10), retries: 2 })
export type Cube = Expect<Equal<typeof cube, Promise<number>>>
export const noArguments = apply(now, [], { timeout: 1_000 })
export type NoArguments = Expect<Equal<typeof noArguments, Promise<number>>>
const pair: readonly [number, number] = [2, 3]
export const ofPair = apply(power, pair)
export type OfPair = Expect<Equal<typeof ofPair, Promise<number>>>

// On this thread any function is accepted.
export const here = apply(plain, [2, 'a'], { workers: 0 })
export type Here = Expect<Equal<typeof here, Promise<string>>>

export const reference: TaskReference<typeof import('node:path'), 'basename'> = {
  module: 'node:path',
  export: 'basename',
}
export const base = apply(reference, ['a/b.js', '.js'])
export type Base = Expect<Equal<typeof base, Promise<string>>>

// @ts-expect-error -- its arguments are missing
void apply(power)
// @ts-expect-error -- the same with options in their place
void apply(power, { timeout: 1_000 })
// @ts-expect-error -- a wrong argument
void apply(power, ['3'])
// @ts-expect-error -- one too many
void apply(power, [3, 3, 3])
// @ts-expect-error -- not in an array
void apply(power, 3)
// @ts-expect-error -- the module's function is for texts
void apply(reference, [1])
// @ts-expect-error -- a plain function cannot be found by another thread
void apply(plain, [2, 'a'])
// @ts-expect-error -- one call has no window
void apply(power, [3], { window: 1 })
