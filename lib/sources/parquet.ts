/** `parquet()`: the rows of Parquet files. */
import { received, typeError } from '../errors.js'
import { isByteList, sourcesOf, type ByteInput } from '../io/bytes.js'
import type { Files } from '../io/path-list.js'
import { isServerUrl } from '../io/urls.js'
import { OptionReader, VERBS_HINT } from '../options.js'
import { loadHyparquet } from '../parquet/package.js'
import type { ResumePoint } from '../resume/mark.js'
import { notResumable } from '../resume/not-resumable.js'
import { COLUMNS_EXPECTED, isNames } from './column-names.js'
import { RecordIterator, type Records } from './records.js'
import { RowReader } from './row-reader.js'

const ACTION = 'read rows with parquet()'

/** What `parquet()` reads: a path, a `file:` URL, or the files of `files()`. */
export type ParquetSource = string | URL | Files

/** A value of a row of `parquet()`: see docs/parquet.md for what each type of Parquet becomes. */
export type ParquetValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | Uint8Array
  | readonly ParquetValue[]
  | { readonly [key: string]: ParquetValue }

/** The options of `parquet()`. */
export interface ParquetOptions<C extends readonly string[] = readonly string[]> {
  /**
   * Which columns the rows have, in this order, by their names. The others are not read from the file. Of a struct, the
   * whole column is read. Default: all. A column that a file does not have ends the source with an `InputError`
   * (`ERR_INPUT_COLUMN`).
   */
  readonly columns?: C | undefined
}

/** The call signatures of `parquet`. */
export interface Parquet {
  /** Rows with the columns that are named. It has two type parameters, as a call that names one type means the other. */
  <const K extends string, const C extends readonly K[]>(
    source: ParquetSource | readonly ParquetSource[],
    options: ParquetOptions<C> & { readonly columns: C },
  ): Records<Record<C[number] & K, ParquetValue>>
  /** Rows as objects. `T` is the type that you know them to have. */
  <T = Record<string, ParquetValue>>(
    source: ParquetSource | readonly ParquetSource[],
    options?: ParquetOptions,
  ): Records<T>
}

/**
 * Gives the rows of Parquet files as objects, one file after the other. It needs the package `hyparquet`, which you
 * install beside this one: `npm install hyparquet`. Files that are compressed by LZ4 need `hyparquet-compressors`, too.
 * So do those by zstd before Node 22.15.
 *
 * As the source of a stage on threads or processes it hands over the places of row groups. The workers read and decode
 * these, and run the stage over their rows. A plain `for await` decodes on this thread, and so does a cluster. Parquet is
 * read at many places of a file, so streams, pipes and URLs of servers are refused.
 *
 * Numbers stay exact: a 64-bit integer beyond 2^53 is a BigInt, and a decimal of more than 15 digits is a string. Times
 * are `Date`, cut to milliseconds. docs/parquet.md has all types.
 *
 * A row that cannot be read is an item that fails: the option `errors` of the next stage says what happens. So are all rows
 * of a row group that is damaged. A plain `for await` throws the error.
 *
 * Each worker holds one row group at a time, decoded: the columns that are read of up to 262,144 rows. Larger row groups
 * are read in pieces, unless a column has lists or structs. Beside that, the results of two row groups for each worker may
 * wait. A `window` or a `chunksize` below the size of a row group makes several workers decode the same one.
 *
 * @param source A path, a `file:` URL, `files()`, or an array of these.
 * @param options `columns` (names, default all).
 * @throws `TypeError` or `RangeError` at the call, for a bad source or option. A `MillraceError` (`ERR_MISSING_PACKAGE`) at
 * the call if `hyparquet` is not installed, and from `next()` if it is `hyparquet-compressors`. All other errors come from
 * `next()`, too, after the rows of the files before. An `InputError`: the
 * file is not Parquet, is encrypted, or uses what cannot be read (`ERR_INPUT_FORMAT`). It is cut or damaged
 * (`ERR_DAMAGED_INPUT`), or has no such column (`ERR_INPUT_COLUMN`). A `RecordError` (`ERR_PARQUET`) for a row. Errors of
 * the system keep their code, with `path`.
 * @example
 * ```ts
 * import { mkdtempSync } from 'node:fs'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { parquetWriteFile } from 'hyparquet-writer'
 * import { parquet } from 'millrace'
 *
 * const filename = join(mkdtempSync(join(tmpdir(), 'rows-')), 'people.parquet')
 * parquetWriteFile({
 *   filename,
 *   columnData: [
 *     { name: 'id', data: [1, 2], type: 'INT32' },
 *     { name: 'name', data: ['Ann', 'Bob'], type: 'STRING' },
 *   ],
 * })
 *
 * for await (const row of parquet(filename)) console.log(row)
 * // → { id: 1, name: 'Ann' }
 * // → { id: 2, name: 'Bob' }
 * for await (const { name } of parquet(filename, { columns: ['name'] })) console.log(name)
 * // → Ann
 * // → Bob
 * ```
 */
export const parquet: Parquet = ((source: unknown, options?: unknown) => {
  const inputs = sourcesOf(ACTION, source)
  for (const input of inputs) assertFile(input)
  const read = new OptionReader<ParquetOptions>(ACTION, options, ['columns'], VERBS_HINT)
  const columns = read.value('columns', COLUMNS_EXPECTED, isNames)
  loadHyparquet()
  const reader = new RowReader(inputs, columns && [...columns])
  return new RecordIterator('parquet', inputs, {
    meter: reader.meter,
    point: notFromTheMiddle(),
    next: (max) => reader.next(max),
    close: () => {
      reader.close()
    },
    open: (use) => reader.open(use),
  })
}) as Parquet

function assertFile(input: ByteInput): void {
  if (isByteList(input)) return
  const { path } = input
  if (path !== undefined && !isServerUrl(path)) return
  const what = path === undefined ? 'a stream of bytes' : received(path)
  throw typeError(
    'ERR_INVALID_SOURCE',
    `Cannot ${ACTION} as each source must be a path, a file: URL or files(), since Parquet is read at many places of a file: ` +
      `received ${what} (write it to a file first)`,
  )
}

function notFromTheMiddle(): ResumePoint {
  return {
    source: undefined,
    plan: { kind: 'parquet' },
    begin: () => {
      throw notResumable('parquet()', "leave out the option 'resume'")
    },
    noteEnd: () => {
      // It never begins.
    },
  }
}
