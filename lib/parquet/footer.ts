/** Reads the footer of a file: its columns, and where its row groups are. All that it says is checked. */
import type { FileHandle } from 'node:fs/promises'
import { InputError } from '../errors.js'
import { damaged, reasonOf, unreadable } from './faults.js'
import { readRange, withFile, type FileState } from './open-file.js'
import { loadHyparquet, type ColumnChunk, type ColumnMetadata, type FileMetadata } from './package.js'
import { columnsOf, type SchemaColumn } from './shape.js'

/** The bytes at the beginning, and at the end behind the length of the footer. */
const MARK = 'PAR1'
/** The same where the footer is encrypted. */
const ENCRYPTED_MARK = 'PARE'
/** The length of the footer, and the mark. */
const TAIL_SIZE = 8
const MIN_SIZE = MARK.length + TAIL_SIZE
const GZIP = '1f8b'
const ZSTD = '28b52ffd'

export interface Group {
  readonly rows: number
  /** The number of its first row in the file, from 0. */
  readonly firstRow: number
  /** Where it begins, in bytes. */
  readonly offset: number
  readonly chunks: readonly Chunk[]
}

/** A leaf of a column in a row group. */
export interface Chunk {
  readonly type: string | undefined
  readonly codec: string | undefined
  readonly isEncrypted: boolean
  readonly values: number
  readonly uncompressed: number
  readonly start: number
  readonly end: number
  readonly dataPage: number
  /** 0: there is none. */
  readonly dictionaryPage: number
  /** The smallest and the largest value, where these are to be compared: see `boundsOf()`. */
  readonly bounds?: readonly [min: number, max: number] | undefined
}

export interface Footer extends FileState {
  readonly columns: readonly SchemaColumn[]
  /** Those that have rows. */
  readonly groups: readonly Group[]
  readonly rows: number
}

/** @throws InputError, MillraceError `ERR_MISSING_PACKAGE`, TypeError for what is no file, and errors of the system. */
export async function readFooter(path: string): Promise<Footer> {
  const { parquetMetadata } = loadHyparquet()
  return await withFile(path, async (file, state) => {
    const { bytes, end } = await footerBytes(path, file, state.size)
    try {
      return { ...state, ...checked(path, parquetMetadata(bytes.buffer, { geoparquet: false }), end) }
    } catch (error) {
      // Of a damaged footer, any part may be missing.
      throw error instanceof InputError
        ? error
        : damaged(path, `its footer cannot be read: ${reasonOf(error)}`, end, error)
    }
  })
}

/** @returns `end`: where the footer begins, and all data end. */
async function footerBytes(
  path: string,
  file: FileHandle,
  size: number,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; end: number }> {
  if (size === 0) throw unreadable(path, 'it is empty')
  const head = await readRange(file, 0, Math.min(size, MARK.length))
  const mark = textOf(head)
  if (mark === ENCRYPTED_MARK) throw unreadable(path, 'it is encrypted')
  if (mark !== MARK) throw unreadable(path, `it must begin with '${MARK}', as such files do`, cureOf(head))
  if (size < MIN_SIZE) throw damaged(path, `it has ${size} bytes, and so no footer: it is cut`, size)
  const tail = await readRange(file, size - TAIL_SIZE, size)
  const last = textOf(tail.subarray(4))
  if (last === ENCRYPTED_MARK) throw unreadable(path, 'its footer is encrypted')
  if (last !== MARK) throw damaged(path, `it does not end with '${MARK}': it is cut, or not written to its end`, size)
  const length = new DataView(tail.buffer).getUint32(0, true)
  const end = size - TAIL_SIZE - length
  if (end < MARK.length) throw damaged(path, `its footer would have ${length} bytes, of ${size}`, size)
  return { bytes: await readRange(file, end, size), end }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

function cureOf(head: Uint8Array): string | undefined {
  const hex = Buffer.from(head).toString('hex')
  const program = hex.startsWith(GZIP) ? 'gunzip' : hex.startsWith(ZSTD) ? 'unzstd' : undefined
  return program && `it is compressed as a whole: decompress it by ${program}`
}

type Checked = Pick<Footer, 'columns' | 'groups' | 'rows'>

function checked(path: string, { schema, num_rows, row_groups }: FileMetadata, end: number): Checked {
  const wrong = (reason: string): Error => damaged(path, `its footer is wrong: ${reason}`, end)
  const size = (value: unknown, what: string): number => {
    const number = typeof value === 'bigint' ? Number(value) : value
    if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
    throw wrong(`${what} is ${String(value)}`)
  }
  const columns = columnsOf(path, schema)
  const leaves = columns.flatMap((column) => column.leaves)
  const groups: Group[] = []
  let firstRow = 0
  for (const { columns: chunks, num_rows: own } of row_groups) {
    const number = groups.length + 1
    const rows = size(own, `the number of rows of row group ${number}`)
    if (chunks.length !== leaves.length)
      throw wrong(`row group ${number} has ${chunks.length} columns, of ${leaves.length}`)
    const read = chunks.map((chunk, leaf) => chunkOf(chunk, leaves[leaf]?.path ?? [], end, size, wrong, path))
    for (const column of columns) {
      const { values, isEncrypted } = read[column.firstLeaf] ?? NOWHERE
      if (!isEncrypted && (column.isFlat ? values !== rows : values < rows))
        throw wrong(`column '${column.name}' has ${values} values in row group ${number}, which has ${rows} rows`)
    }
    const offset = Math.min(end, ...read.slice(0, MAX_LOOKED_AT).map(({ start }) => start))
    if (rows > 0) groups.push({ rows, firstRow, offset, chunks: read })
    firstRow += rows
  }
  const rows = size(num_rows, 'the number of rows')
  if (rows !== firstRow) throw wrong(`it has ${rows} rows, and its row groups have ${firstRow}`)
  return { columns, groups, rows }
}

/** A function does not take as many arguments as a file may have columns. */
const MAX_LOOKED_AT = 1_000

function chunkOf(
  { meta_data, file_path, crypto_metadata }: ColumnChunk,
  path: readonly string[],
  end: number,
  size: (value: unknown, what: string) => number,
  wrong: (reason: string) => Error,
  file: string,
): Chunk {
  const name = path.join('.')
  if (file_path !== undefined && file_path !== '')
    throw unreadable(file, `its column '${name}' is in another file, '${file_path}'`)
  if (crypto_metadata !== undefined || meta_data === undefined) {
    if (crypto_metadata === undefined) throw wrong(`nothing is said of column '${name}'`)
    return { ...NOWHERE, isEncrypted: true }
  }
  if (meta_data.path_in_schema.join('.') !== name)
    throw wrong(`a column is named '${meta_data.path_in_schema.join('.')}', and '${name}' in the schema`)
  const dataPage = size(meta_data.data_page_offset, `the place of column '${name}'`)
  const dictionaryPage = size(meta_data.dictionary_page_offset ?? 0, `the place of the dictionary of '${name}'`)
  const start = dictionaryPage === 0 ? dataPage : dictionaryPage
  const length = size(meta_data.total_compressed_size, `the size of column '${name}'`)
  if (start < MARK.length || start + length > end)
    throw wrong(`column '${name}' would be from byte ${start} to ${start + length}`)
  return {
    type: meta_data.type,
    codec: meta_data.codec,
    isEncrypted: false,
    values: size(meta_data.num_values, `the number of values of column '${name}'`),
    uncompressed: size(meta_data.total_uncompressed_size, `the size of column '${name}'`),
    start,
    end: start + length,
    dataPage,
    dictionaryPage,
    bounds: boundsOf(meta_data),
  }
}

/**
 * DuckDB writes the first of some unsigned numbers in 33 bits, where the format has 32: it is then read as another one.
 * The footer tells.
 */
function boundsOf({ type, encodings, statistics }: ColumnMetadata): Chunk['bounds'] {
  if (type !== 'INT32' || encodings?.includes('DELTA_BINARY_PACKED') !== true) return undefined
  const { min_value: min, max_value: max } = statistics ?? {}
  return typeof min === 'number' && typeof max === 'number' ? [min, max] : undefined
}

const NOWHERE: Chunk = {
  type: undefined,
  codec: undefined,
  isEncrypted: false,
  values: 0,
  uncompressed: 0,
  start: 0,
  end: 0,
  dataPage: 0,
  dictionaryPage: 0,
}
