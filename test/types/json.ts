/** The types that the compiler infers and refuses for `ndjson`, `json` and `files`. This file is compiled, and not run. */
import { files, imap, json, lines, ndjson, pipe, replay, task, type Files, type Records, type Stream } from 'millrace'
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

export const some = ndjson('a.ndjson', { columns: ['id', 'user'] })
export type Some = Expect<Equal<typeof some, Records<{ id?: unknown; user?: unknown }>>>
export const someElements = json(['a.json'], { columns: ['id'], path: 'rows' })
export type SomeElements = Expect<Equal<typeof someElements, Records<{ id?: unknown }>>>
export const known = ndjson<Row>('a.ndjson', { columns: ['id'] })
export type Known = Expect<Equal<typeof known, Records<Row>>>
export const knownElements = json<Row>('a.json', { columns: ['id'], path: 'rows' })
export type KnownElements = Expect<Equal<typeof knownElements, Records<Row>>>
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as users write it
export const anything = ndjson<any>('a.ndjson', { columns: ['id'] })
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Anything = Expect<Equal<typeof anything, Records<any>>>
export const columnsUndefined = ndjson('a.ndjson', { columns: undefined })
export type ColumnsUndefined = Expect<Equal<typeof columnsUndefined, Records<unknown>>>
const apartOptions = { columns: ['id', 'user'] }
export const apart = ndjson('a.ndjson', apartOptions)
export type Apart = Expect<Equal<typeof apart, Records<Record<string, unknown>>>>
export const ids = pipe(ndjson<Row>('a.ndjson', { columns: ['id'] }), imap(idOf))
export type Ids = Expect<Equal<typeof ids, Stream<number>>>

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
// @ts-expect-error -- a key that was not asked for
export type Missing = (typeof some extends Records<infer R> ? R : never)['note']
// @ts-expect-error -- names are strings
ndjson('a.ndjson', { columns: [1] })
// @ts-expect-error -- failed items are whole
replay('a.ndjson', { columns: ['id'] })
// @ts-expect-error -- lines have no path
ndjson('a.ndjson', { path: 'a' })
// @ts-expect-error -- a program and its arguments are an array
json('a.json', { decompress: 'xz -dc' })
// @ts-expect-error -- the values are rows, not strings
pipe(ndjson<Row>('a.ndjson'), imap(size))
// @ts-expect-error -- a wrong word
files('*', { onNone: 'skip' })
