/** The formats of an output, as plain data that is sent to workers. */

/** The format of an output. */
export type OutputFormat = PlainFormat | CsvFormat

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

export interface CsvFormat extends Partitioning {
  readonly kind: 'csv'
  readonly delimiter: ',' | '\t'
  /** The columns in their order; undefined: the keys of the first record. */
  readonly columns: readonly string[] | undefined
  readonly escapeFormulas: boolean
  /** Without `columns`: where threads find the keys of the first record, once they are known. See `header-memory.ts`. */
  readonly header?: Int32Array<SharedArrayBuffer> | undefined
}

/** The format for another process, which cannot read the memory of the header: it uses the keys of its records. */
export function formatApart(format: OutputFormat): OutputFormat {
  return format.kind === 'csv' ? { ...format, header: undefined } : format
}

/** The name of a format, as users write it. */
export function nameOf(format: OutputFormat): string {
  if (format.kind !== 'csv') return format.kind
  return format.delimiter === '\t' ? 'tsv' : 'csv'
}
