/** The types that the compiler infers and refuses for `parquet`. This file is compiled, and not run. */
import { files, imap, parquet, pipe, task, type ParquetValue, type Records, type Stream } from 'millrace'
import type { Equal, Expect } from './equal.js'

interface Row {
  readonly id: number
}
const idOf = task(import.meta.url, 'idOf', (row: Row) => row.id)

export const rows = parquet('a.parquet')
export type Rows = Expect<Equal<typeof rows, Records<Record<string, ParquetValue>>>>
export const some = parquet(files('*.parquet'), { columns: ['id', 'user'] })
export type Some = Expect<Equal<typeof some, Records<{ id: ParquetValue; user: ParquetValue }>>>
export const known = parquet<Row>(['a.parquet', new URL('file:///b.parquet')], { columns: ['id'] })
export type Known = Expect<Equal<typeof known, Records<Row>>>
export const ids = pipe(parquet<Row>('a.parquet'), imap(idOf))
export type Ids = Expect<Equal<typeof ids, Stream<number>>>

// @ts-expect-error -- a file is read at any place, and bytes are not
parquet([Buffer.from('PAR1')])
// @ts-expect-error -- a key that was not asked for
export type Missing = (typeof some extends Records<infer R> ? R : never)['note']
// @ts-expect-error -- it has no encoding
parquet('a.parquet', { encoding: 'latin1' })
