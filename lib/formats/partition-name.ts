/**
 * The names of partitions: folders below that of the output. A name is percent-encoded, so it is one folder, never leads
 * elsewhere, and belongs to one key.
 */
import { isErrorObject, received } from '../errors.js'
import { formatError } from './format-error.js'
import type { OutputFormat } from './output-format.js'

/** Gives the key of a record: its folder. */
export type PartitionOf = (record: never) => unknown

/** The name that Hive, Spark and DuckDB give to the partition of records without a value. Spark cannot read an empty one. */
const NULL_NAME = '__HIVE_DEFAULT_PARTITION__'

/** @param file The file that the item is from, if that is known and asked for. */
type PartitionName = (value: unknown, index: number, file: string | undefined) => string

/** A function that gives the folder of a record, or its file; undefined if the output has no partitions. It throws an `OutputError`. */
export function partitionNames(format: OutputFormat, partitionOf: PartitionOf | undefined): PartitionName | undefined {
  const { partition, byFile } = format
  if (byFile === true) {
    return (_, index, file) => {
      if (file !== undefined) return file
      const cure = 'read files with csv(), ndjson(), json() or lines(), and put at most one stage between'
      throw formatError(format, index, 'the target is a template and its input file is not known', 'an item', cure)
    }
  }
  if (partitionOf !== undefined) {
    return (value, index) => {
      const key = partitionOf(value as never)
      if (typeof key === 'string' && key !== '') return encoded(format, key, index)
      throw formatError(format, index, 'its partition must be a string, not empty', received(key), 'return a string')
    }
  }
  if (partition === undefined) return undefined
  const start = `${encodeText(partition)}=`
  return (value, index) => {
    const key = (Object(value) as Readonly<Record<string, unknown>>)[partition]
    if (key === null || key === undefined) return start + NULL_NAME
    const text = keyText(key)
    if (text === '') return start + NULL_NAME
    if (text !== undefined) return start + (text === NULL_NAME ? `%5F${text.slice(1)}` : encoded(format, text, index))
    const reason = `its partition '${partition}' must be a string, number, bigint, boolean, valid Date or null`
    throw formatError(format, index, reason, received(key), "pass a function as 'partition'")
  }
}

function keyText(key: unknown): string | undefined {
  if (typeof key === 'object') {
    return key instanceof Date && !Number.isNaN(key.getTime()) ? key.toISOString() : undefined
  }
  if (typeof key === 'string') return key
  return typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean' ? String(key) : undefined
}

function encoded(format: OutputFormat, text: string, index: number): string {
  try {
    return encodeText(text)
  } catch (cause) {
    const reason = 'its partition must be well-formed text'
    const options = isErrorObject(cause) ? { cause } : undefined
    throw formatError(format, index, reason, received(text), 'half of a surrogate pair stands alone', options)
  }
}

/** Also of what Windows does not allow in names, and of a dot at the start or end: `..` is the folder above. */
function encodeText(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*~]|^\.|\.$/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
