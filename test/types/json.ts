/** The types that the compiler infers and refuses for `ndjson`, `json` and `files`. This file is compiled, and not run. */
import { files, imap, json, lines, ndjson, pipe, task, type Files, type Records, type Stream } from 'millrace'
import type { Equal, Expect } from './equal.js'

interface Row {
  readonly id: number
}
const idOf = task(import.meta.url, 'idOf', (row: Row) => row.id)
const size = task(import.meta.url, 'size', (path: string) => path.length)

export const values = ndjson('a.ndjson')
export type Values = Expect<Equal<typeof values, Records<unknown>>>
export const rows = ndjson<Row>(files('*.ndjson'), { maxLength: 100, decompress: ['xz', '-dc'] })
export type Rows = Expect<Equal<typeof rows, Records<Row>>>
export const elements = json<Row>(['a.json', new URL('file:///b.json')], { path: 'data.rows' })
export type Elements = Expect<Equal<typeof elements, Records<Row>>>
export const piped = pipe(json<Row>('a.json', { path: ['data', 'rows'] }), imap(idOf))
export type Piped = Expect<Equal<typeof piped, Stream<number>>>

export const list = files(['in/*.log', '!**/*.old'], { onNone: 'empty' })
export type List = Expect<Equal<typeof list, Files>>
export const paths = pipe(list, imap(size))
export type Paths = Expect<Equal<typeof paths, Stream<number>>>
export const mixed = lines([list, 'b.log'])

async function* strings() {
  yield await Promise.resolve('a.log')
}

// @ts-expect-error -- an iterable of strings is not files()
lines(strings())
// @ts-expect-error -- lines have no path
ndjson('a.ndjson', { path: 'a' })
// @ts-expect-error -- a program and its arguments are an array
json('a.json', { decompress: 'xz -dc' })
// @ts-expect-error -- the values are rows, not strings
pipe(ndjson<Row>('a.ndjson'), imap(size))
// @ts-expect-error -- a wrong word
files('*', { onNone: 'skip' })
