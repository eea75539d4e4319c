/** Reads Parquet files that were written, by another package than the one that has written them. */
import { readFileSync } from 'node:fs'
import { parquetMetadata, parquetRead, type FileMetaData } from 'hyparquet'

export interface ParquetFile {
  /** With the schema, without its root. */
  readonly schema: readonly Readonly<Record<string, unknown>>[]
  /** How many rows each row group has. */
  readonly groups: readonly number[]
  /** The values of each row, in the order of the columns. */
  readonly rows: readonly (readonly unknown[])[]
  readonly metadata: FileMetaData
}

export async function readParquet(given: string | Uint8Array): Promise<ParquetFile> {
  const bytes = typeof given === 'string' ? readFileSync(given) : given
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
  const metadata = parquetMetadata(file)
  const schema = metadata.schema.slice(1).map((element) => ({ ...element }))
  const groups = metadata.row_groups.map(({ num_rows }) => Number(num_rows))
  let rows: unknown[][] = []
  if (schema.length > 0 && groups.length > 0) {
    // Without `utf8`, bytes without a type stay bytes.
    const onComplete = (read: unknown[][]): void => {
      rows = read
    }
    await parquetRead({ file, metadata, rowFormat: 'array', utf8: false, onComplete })
  }
  return { schema, groups, rows, metadata }
}

/** The type of each column, in short. */
export function typesOf({ schema }: ParquetFile): Readonly<Record<string, unknown>> {
  return Object.fromEntries(schema.map(({ name, type, converted_type }) => [String(name), converted_type ?? type]))
}
