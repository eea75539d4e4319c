/** The errors of records that a format cannot take. They are the same whichever thread finds them. */
import { OutputError, received } from '../errors.js'
import { nameOf, type CsvFormat, type OutputFormat, type ParquetFormat, type TableFormat } from './output-format.js'

/**
 * @param index The index of the item.
 * @param reason What is wrong.
 * @param found The value, as the text shows it.
 */
export function formatError(
  format: OutputFormat,
  index: number,
  reason: string,
  found: string,
  cure: string,
  options?: ErrorOptions,
): OutputError {
  const text = `Cannot write item ${index} as ${nameOf(format)} as ${reason}: received ${found} (${cure})`
  return new OutputError(text, 'ERR_OUTPUT_FORMAT', options)
}

/** A record has a key that the first one did not have. */
export function keyError(format: TableFormat, index: number, key: string, columns: readonly string[]): OutputError {
  const cure = `pass all columns, as in columns: [${shown([...columns, key])}]`
  return formatError(format, index, 'it has a key that the first record does not have', `'${key}'`, cure)
}

/**
 * A value has another type than those before in its column.
 *
 * @param expected What it must be.
 * @param found The value, as the text shows it.
 */
export function typeError(
  format: ParquetFormat,
  index: number,
  column: string,
  expected: string,
  found: string,
): OutputError {
  const cure = `convert it in the task, or pass types: { ${received(column)}: 'json' }`
  return formatError(format, index, `its field '${column}' must be ${expected}, as those before`, found, cure)
}

/** The first record of all, which gives the columns, has no keys. */
export function emptyError(format: TableFormat, index: number): OutputError {
  return formatError(
    format,
    index,
    'the first record must have keys',
    '{}',
    "give plain objects, or the option 'columns'",
  )
}

/**
 * No record has the column of the partitions.
 *
 * @param columns Those that the records have, if that is known.
 */
export function partitionError(column: string, columns: readonly string[] | undefined): OutputError {
  const found = columns === undefined ? 'only records without it' : `records with ${shown(columns)}`
  const expected = `records must have the column of 'partition', '${column}'`
  return new OutputError(
    `Cannot write results as ${expected}: received ${found} (check its name)`,
    'ERR_OUTPUT_PARTITION',
  )
}

/** An array among objects. */
export function arrayError(format: CsvFormat, index: number, length: number): OutputError {
  return formatError(format, index, 'the first record is an object', `an array of ${length}`, ONE_KIND)
}

/** An object among arrays. */
export function objectError(format: CsvFormat, index: number, keys: readonly string[]): OutputError {
  return formatError(format, index, 'the first record is an array', `an object with keys ${shown(keys)}`, ONE_KIND)
}

const ONE_KIND = 'give only objects or only arrays'

/** An array that is too long or too short. @param length Of the others. */
export function widthError(format: CsvFormat, index: number, length: number, expected: number): OutputError {
  return formatError(format, index, `it must have ${expected} fields`, String(length), 'fill it up with null')
}

const MAX_SHOWN = 8

function shown(keys: readonly string[]): string {
  const all = keys.map((key) => `'${key}'`)
  return all.length > MAX_SHOWN ? [...all.slice(0, MAX_SHOWN - 1), '…', all.at(-1)].join(', ') : all.join(', ')
}
