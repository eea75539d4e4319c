/** The types of the rows of `fixed()`. */
import { fixed, task, type Records } from 'millrace'
import type { Equal, Expect } from './equal.js'

const cents = task(import.meta.url, 'cents', (text: string) => Math.round(Number(text) * 100))

export const strings = fixed('a.txt', { columns: { name: 10, age: 3 } })
export type Strings = Expect<Equal<typeof strings, Records<{ name: string; age: string }>>>

export const typed = fixed(['a.txt', 'b.txt'], {
  columns: { name: [0, 10], age: [10, 13], price: [13, Infinity] },
  types: { age: Number, price: cents },
})
export type Typed = Expect<Equal<typeof typed, Records<{ name: string; age: number | null; price: number | null }>>>

// @ts-expect-error -- a column is a width, or a start and an end.
export const noColumn = fixed('a.txt', { columns: { name: '0-10' } })
// @ts-expect-error -- the places of the columns are not in the file.
export const noColumns = fixed('a.txt')
