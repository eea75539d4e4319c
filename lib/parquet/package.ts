/**
 * Loads the packages that read Parquet, which are optional peers: hyparquet, and hyparquet-compressors for what Node
 * cannot decompress. And the parts of them that are used.
 */
import { createRequire } from 'node:module'
import { MillraceError } from '../errors.js'

/** An element of the schema of a file, in the order of a walk through its tree. */
export interface SchemaElement {
  readonly type?: string | undefined
  readonly type_length?: number | undefined
  readonly repetition_type?: string | undefined
  readonly name: string
  readonly num_children?: number | undefined
  readonly converted_type?: string | undefined
  readonly scale?: number | undefined
  readonly precision?: number | undefined
  readonly logical_type?: LogicalType | undefined
}

export interface LogicalType {
  readonly type?: string
  readonly unit?: string
  readonly scale?: number
  readonly precision?: number
  readonly bitWidth?: number
  readonly isSigned?: boolean
}

export interface ColumnMetadata {
  readonly type: string | undefined
  readonly path_in_schema: readonly string[]
  readonly codec: string | undefined
  readonly encodings?: readonly string[] | undefined
  readonly statistics?: { readonly min_value?: unknown; readonly max_value?: unknown } | undefined
  readonly num_values: bigint
  readonly total_uncompressed_size: bigint
  readonly total_compressed_size: bigint
  readonly data_page_offset: bigint
  readonly dictionary_page_offset?: bigint | undefined
}

export interface ColumnChunk {
  readonly file_path?: string | undefined
  readonly file_offset: bigint
  readonly meta_data?: ColumnMetadata | undefined
  readonly crypto_metadata?: unknown
}

export interface RowGroup {
  readonly columns: readonly ColumnChunk[]
  readonly num_rows: bigint
  readonly total_byte_size: bigint
}

export interface FileMetadata {
  readonly version: number
  readonly schema: readonly SchemaElement[]
  readonly num_rows: bigint
  readonly row_groups: readonly RowGroup[]
}

/** Decompresses a page. */
export type Decompress = (bytes: Uint8Array, length: number) => Uint8Array

/** An array, or a typed one. */
export type Values = ArrayLike<unknown> & Iterable<unknown>

export interface ColumnData {
  readonly columnName: string
  readonly columnData: Values
  readonly rowStart: number
}

interface ReadOptions {
  readonly file: {
    readonly byteLength: number
    slice(start: number, end?: number): Promise<ArrayBuffer>
  }
  readonly metadata: FileMetadata
  readonly columns: readonly string[]
  readonly rowStart: number
  readonly rowEnd: number
  readonly compressors: Readonly<Record<string, Decompress>>
  readonly utf8: boolean
  readonly parsers: Readonly<Record<string, (value: never) => unknown>>
  onChunk(chunk: ColumnData): void
}

export interface Hyparquet {
  readonly parquetMetadata: (footer: ArrayBuffer, options: { readonly geoparquet: boolean }) => FileMetadata
  readonly parquetRead: (options: ReadOptions) => Promise<void>
  readonly snappyUncompress: (bytes: Uint8Array, output: Uint8Array) => void
}

interface Compressors {
  readonly compressors: Readonly<Record<string, Decompress>>
}

let hyparquet: Hyparquet | undefined
let compressors: Compressors | undefined

/** @throws MillraceError `ERR_MISSING_PACKAGE` */
export function loadHyparquet(): Hyparquet {
  return (hyparquet ??= load('hyparquet', 'reads Parquet') as Hyparquet)
}

/** @throws MillraceError `ERR_MISSING_PACKAGE` */
export function loadCompressors(codec: string): Compressors['compressors'] {
  compressors ??= load('hyparquet-compressors', `decompresses ${codec} in Parquet`) as Compressors
  return compressors.compressors
}

/** Not by `import()`: bundlers would look for a package that is not installed. */
function load(name: string, what: string): unknown {
  try {
    return createRequire(import.meta.url)(name) as unknown
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    throw new MillraceError(
      `Cannot load the package '${name}', which ${what}, as it is not installed: npm install ${name}`,
      'ERR_MISSING_PACKAGE',
      { cause: error },
    )
  }
}
