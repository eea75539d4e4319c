/** The formats of an output, as plain data that is sent to workers. */

import type { ColumnType } from './column-type.js'

/** The format of an output. */
export type OutputFormat = PlainFormat | TableFormat

/** All records have the same columns. */
export type TableFormat = CsvFormat | ParquetFormat

/** Each record stands alone: its text does not depend on other records. */
export interface PlainFormat extends Partitioning {
  readonly kind: 'text' | 'ndjson' | 'json'
}

interface Partitioning {
  /** The key whose value is the partition of a record. */
  readonly partition?: string | undefined
  /** Whether the partition of a record is the file that its item is from. */
  readonly byFile?: boolean | undefined
}

interface Table extends Partitioning {
  /** The columns in their order; undefined: the keys of the first record. */
  readonly columns: readonly string[] | undefined
  /** Without `columns`: where threads find the keys of the first record, once they are known. See `header-memory.ts`. */
  readonly header?: Int32Array<SharedArrayBuffer> | undefined
}

export interface CsvFormat extends Table {
  readonly kind: 'csv'
  readonly delimiter: ',' | '\t'
  readonly escapeFormulas: boolean
}

/** Records travel as packed rows: see `packed-rows.ts`. The output makes columns of them. */
export interface ParquetFormat extends Table {
  readonly kind: 'parquet'
  /** The types of columns that are given. The others have the types of their first values. */
  readonly types: readonly (readonly [column: string, type: ColumnType])[]
  /** The most rows in a row group. */
  readonly rowGroup: number
}

export function isTable(format: OutputFormat): format is TableFormat {
  return format.kind === 'csv' || format.kind === 'parquet'
}

/** The format for another process, which cannot read the memory of the header: it uses the keys of its records. */
export function formatApart(format: OutputFormat): OutputFormat {
  return isTable(format) ? { ...format, header: undefined } : format
}

/** The name of a format, as users write it. */
export function nameOf(format: OutputFormat): string {
  if (format.kind !== 'csv') return format.kind
  return format.delimiter === '\t' ? 'tsv' : 'csv'
}
