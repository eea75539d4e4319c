/** The package that writes Parquet: an optional peer, which is loaded when it is needed. */
import { createRequire } from 'node:module'
import { MillraceError } from '../errors.js'

/** The part of the package that is used. */
export interface ParquetPackage {
  readonly ByteWriter: new () => ByteWriter
  readonly ParquetWriter: new (options: {
    readonly writer: ByteWriter
    readonly schema: readonly SchemaElement[]
    readonly createdBy: string
  }) => ParquetWriter
}

/** Bytes that the file gets next. */
export interface ByteWriter {
  buffer: ArrayBuffer
  view: DataView
  /** How many bytes of the buffer there are. */
  index: number
}

export interface ParquetWriter {
  readonly row_groups: readonly { readonly columns: readonly { readonly meta_data?: { type: string } }[] }[]
  write(rows: { readonly columnData: readonly ColumnData[]; readonly rowGroupSize: number }): void
  finish(): void
}

export interface ColumnData {
  readonly name: string
  readonly data: readonly unknown[]
  readonly encoding?: 'PLAIN' | undefined
  readonly statistics?: boolean
}

/** As Parquet defines it. It may change until the footer is written. */
export interface SchemaElement {
  name: string
  type?: string
  converted_type?: string | undefined
  logical_type?: object | undefined
  repetition_type?: 'OPTIONAL'
  num_children?: number
}

let loaded: ParquetPackage | undefined

/** @throws MillraceError `ERR_MISSING_PACKAGE` */
export function parquetPackage(): ParquetPackage {
  return (loaded ??= load())
}

/** Not by `import()`: bundlers would look for a package that is not installed. */
function load(): ParquetPackage {
  try {
    return createRequire(import.meta.url)('hyparquet-writer') as ParquetPackage
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    throw new MillraceError(
      "Cannot load the package 'hyparquet-writer', which writes Parquet, as it is not installed: npm install hyparquet-writer",
      'ERR_MISSING_PACKAGE',
      { cause: error },
    )
  }
}
