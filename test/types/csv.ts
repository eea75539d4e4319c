/** The types that the compiler infers and refuses for `csv` and `tsv`. This file is compiled, and not run. */
import { csv, imap, pipe, task, tsv, type Records, type Stream } from 'millrace'
import type { Equal, Expect } from './equal.js'

interface Row {
  readonly id: string
}

export const plain = csv('a.csv')
export type Plain = Expect<Equal<typeof plain, Records<Record<string, string>>>>

export const known = tsv<Row>(['a.tsv', 'b.tsv'], { delimiter: ';' })
export type Known = Expect<Equal<typeof known, Records<Row>>>

export const arrays = csv('a.csv', { header: false })
export type Arrays = Expect<Equal<typeof arrays, Records<string[]>>>

export const some = csv('a.csv', { columns: ['id', 'amount', 'day'], types: { amount: Number, day: Date } })
export type Some = Expect<Equal<typeof some, Records<{ id: string; amount: number | null; day: Date | null }>>>

export const strings = csv('a.csv', { columns: ['id', 'name'] })
export type Strings = Expect<Equal<typeof strings, Records<{ id: string; name: string }>>>

const slim = task(import.meta.url, 'slim', ({ id, amount }: { id: string; amount: number | null }) => `${id} ${amount}`)
export const piped = pipe(csv('a.csv', { columns: ['id', 'amount'], types: { amount: Number } }), imap(slim))
export type Piped = Expect<Equal<typeof piped, Stream<string>>>

const money = task(import.meta.url, 'money', (text: string) => BigInt(text))
const later = task(import.meta.url, 'later', async (text: string) => Promise.resolve(text))
export const made = csv('a.csv', { columns: ['id', 'amount'], types: { amount: money } })
export type Made = Expect<Equal<typeof made, Records<{ id: string; amount: bigint | null }>>>

/** It is refused at the call: no value is left for such a field. */
export const promised = csv('a.csv', { columns: ['a'], types: { a: later } })
export type Promised = Expect<Equal<typeof promised, Records<{ a: null }>>>

export const all = csv('a.csv', { types: { amount: Number, paid: Boolean, total: money }, delimiter: ';' })
type AllRow = typeof all extends Records<infer R> ? R : never
export type AllTyped = Expect<
  Equal<
    Pick<AllRow, 'amount' | 'paid' | 'total'>,
    {
      amount: number | null
      paid: boolean | null
      total: bigint | null
    }
  >
>
export type AllOthers = Expect<Equal<AllRow['note'], string>>
export const columnsUndefined = csv('a.csv', { types: { amount: Number }, columns: undefined })
export type ColumnsUndefined = Expect<
  Equal<typeof columnsUndefined, Records<{ amount: number | null } & Record<string, string>>>
>

const amountOf = task(import.meta.url, 'amountOf', ({ amount }: { amount: number | null }) => amount ?? 0)
export const amounts = pipe(csv('a.csv', { types: { amount: Number } }), imap(amountOf))
export type Amounts = Expect<Equal<typeof amounts, Stream<number>>>

export const stated = csv<Row>('a.csv', { types: { id: Number } })
export type Stated = Expect<Equal<typeof stated, Records<Row>>>
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as users write it
export const anything = csv<any>('a.csv', { types: { id: Number } })
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Anything = Expect<Equal<typeof anything, Records<any>>>

const options = { types: { amount: Number } }
export const apart = csv('a.csv', options)
export type Apart = Expect<Equal<typeof apart, Records<{ amount: number | null } & Record<string, string>>>>

const textOf = task(import.meta.url, 'textOf', ({ amount }: { amount: string }) => amount)
// @ts-expect-error -- the amount is a number
pipe(csv('a.csv', { types: { amount: Number } }), imap(textOf))
// @ts-expect-error -- a plain function cannot be found by a worker
csv('a.csv', { types: { a: (text: string) => text } })
// @ts-expect-error -- a task of a field gets text
csv('a.csv', { types: { a: task(import.meta.url, 'square', (n: number) => n * n) } })
// @ts-expect-error -- strings need no type
csv('a.csv', { types: { a: String } })
// @ts-expect-error -- no such option
csv('a.csv', { separator: ';' })
