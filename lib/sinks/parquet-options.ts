/** The options of `write()` that are for Parquet, and what does not go together with it. */
import { CheckpointError, rangeError, typeError } from '../errors.js'
import { COLUMN_TYPES, type ColumnType } from '../formats/column-type.js'
import type { ParquetFormat } from '../formats/output-format.js'
import { isPlainObject, type OptionReader } from '../options.js'
import type { ResumeSettings } from '../resume/options.js'
import type { Compression } from './compression.js'
import { parquetPackage } from './parquet-package.js'

/** The most rows in a row group, by default. */
const ROW_GROUP = 50_000

interface ParquetOptions {
  readonly types?: Readonly<Record<string, ColumnType>>
  readonly rowGroup?: number
}

interface Others {
  readonly format: string
  readonly path: string | undefined
  /** Whether the target is a stream to a terminal. */
  readonly isTerminal: boolean
  readonly columns: readonly string[] | undefined
  readonly compression: Compression | undefined
  readonly resume: ResumeSettings | undefined
}

/**
 * @param action For errors: what the caller is about to do.
 * @returns Undefined if the format is another one.
 * @throws MillraceError `ERR_MISSING_PACKAGE`, CheckpointError `ERR_NOT_RESUMABLE`, and errors of options.
 */
export function readParquet(
  action: string,
  read: OptionReader<ParquetOptions>,
  { format, path, isTerminal, columns, compression, resume }: Others,
): Pick<ParquetFormat, 'types' | 'rowGroup'> | undefined {
  const types = Object.entries(read.value('types', `an object of ${TYPES} by columns`, isTypes) ?? {})
  const rowGroup = read.integer('rowGroup', 1)
  if (format !== 'parquet') {
    for (const name of ['types', 'rowGroup'] as const) {
      const value = read.any(name)
      if (value !== undefined)
        read.fail(typeError, name, `left out for the format '${format}': it is for parquet`, value)
    }
    return undefined
  }
  const [other] = columns === undefined ? [] : types.filter(([name]) => !columns.includes(name))
  if (other !== undefined) read.fail(typeError, 'types', `of names that 'columns' has`, other[0])
  if (compression !== undefined) {
    const text = `Cannot ${action} as Parquet with '${compression.type}' as its columns are compressed inside the file`
    throw rangeError('ERR_INVALID_OPTION', `${text}: name it .parquet, and leave out 'compress'`)
  }
  if (isTerminal) {
    const text = `Cannot ${action} as Parquet to a terminal as it is not text`
    throw typeError('ERR_INVALID_OPTION', `${text}: write to a file, or choose another 'format'`)
  }
  if (resume !== undefined) {
    const text = `Cannot go on where a run was stopped as a Parquet file is only whole with its end: received '${path ?? ''}'`
    throw new CheckpointError(`${text} (leave out 'resume', or write ndjson)`, 'ERR_NOT_RESUMABLE')
  }
  parquetPackage()
  return { types, rowGroup: rowGroup ?? ROW_GROUP }
}

const TYPES = COLUMN_TYPES.map((type) => `'${type}'`).join(', ')

function isTypes(value: unknown): boolean {
  return isPlainObject(value) && Object.values(value).every((type) => COLUMN_TYPES.includes(type as ColumnType))
}
