/** The types of columns, and which values fit them. A column has one type, and each of its values may also be null. */

/** The types of the columns of a Parquet file. */
export type ColumnType = 'string' | 'double' | 'int32' | 'int64' | 'boolean' | 'timestamp' | 'bytes' | 'json'

/** What stands for a value without one, and then for each type. A packed row has these in front of its values. */
export const TAG = {
  null: 0,
  string: 1,
  double: 2,
  int32: 3,
  int64: 4,
  boolean: 5,
  timestamp: 6,
  bytes: 7,
  json: 8,
} as const

export type Tag = (typeof TAG)[keyof typeof TAG]

export const COLUMN_TYPES: readonly ColumnType[] = Object.keys(TAG).slice(1) as ColumnType[]

/** Undefined: no value. */
export function typeOfTag(tag: number | undefined): ColumnType | undefined {
  return tag === undefined ? undefined : COLUMN_TYPES[tag - 1]
}

const INT64_LIMIT = 2n ** 63n

/** The type of a column that this value is the first of. Undefined: no column can have it. It is not null. */
export function typeOf(value: unknown): ColumnType | undefined {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'number':
      return 'double'
    case 'boolean':
      return 'boolean'
    case 'bigint':
      return isInt64(value) ? 'int64' : undefined
    case 'object':
      if (value instanceof Date) return isValid(value) ? 'timestamp' : undefined
      if (value instanceof Uint8Array) return 'bytes'
      return ArrayBuffer.isView(value) ? undefined : 'json'
    default:
      return undefined
  }
}

/** Whether a column of this type can have a value. JSON is asked when it is made. */
export function fits(value: unknown, type: ColumnType): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string'
    case 'double':
      return typeof value === 'number'
    case 'int32':
      return typeof value === 'number' && (value | 0) === value
    case 'int64':
      return typeof value === 'bigint' ? isInt64(value) : Number.isSafeInteger(value)
    case 'boolean':
      return typeof value === 'boolean'
    case 'timestamp':
      return value instanceof Date && isValid(value)
    case 'bytes':
      return value instanceof Uint8Array
    case 'json':
      return true
  }
}

function isInt64(value: bigint): boolean {
  return value >= -INT64_LIMIT && value < INT64_LIMIT
}

function isValid(date: Date): boolean {
  return !Number.isNaN(date.getTime())
}
