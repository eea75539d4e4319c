/**
 * Packs records as rows of values with their types, for an output that keeps columns. Workers check so what a column can
 * have, and this thread gets bytes. A row is a value for each key, and a mark at its end: so the row of no keys has a
 * length, too.
 */
import { received } from '../errors.js'
import { fits, typeOf, type ColumnType } from './column-type.js'
import { formatError, keyError } from './format-error.js'
import { readHeader } from './header-memory.js'
import { hasKeys } from './keys.js'
import type { ParquetFormat } from './output-format.js'
import { jsonOf, packValue } from './packed-value.js'
import { NO_ROOM, NOT_SIMPLE, type RecordSource } from './record-source.js'

export const END_OF_ROW = 0xff

type AnyRecord = Readonly<Record<string, unknown>>

interface Shape {
  readonly keys: readonly string[]
  readonly types: readonly (ColumnType | undefined)[]
}

/** Each record has these. */
const INHERITED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype))

export class PackedRows implements RecordSource {
  /** The keys of the last record; undefined where it has the columns of the output. */
  keys: readonly string[] | undefined
  readonly #format: ParquetFormat
  /** Whether the user has given the columns: all other keys are left out. */
  readonly #isGiven: boolean
  readonly #types: ReadonlyMap<string, ColumnType>
  /** The columns of the output, if they are known. */
  #columns: Shape | undefined
  #isColumn: ReadonlySet<string> = new Set()
  #shape: Shape | undefined

  constructor(format: ParquetFormat) {
    this.#format = format
    this.#isGiven = format.columns !== undefined
    this.#types = new Map(format.types)
    if (format.columns !== undefined) this.#know(format.columns)
  }

  /** Before the first record of a batch: the columns may be known by now. In a batch they stay known or unknown. */
  begin(): void {
    const { header } = this.#format
    const keys = this.#columns === undefined && header !== undefined ? readHeader(header) : undefined
    if (keys !== undefined) this.#know(keys)
  }

  /** @returns `NOT_SIMPLE` for a record that the output cannot take. */
  write(value: unknown, bytes: Buffer, start: number): number {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return NOT_SIMPLE
    const record = value as AnyRecord
    const columns = this.#columns
    if (columns !== undefined && !this.#isGiven && this.#extraKey(record, columns) !== undefined) return NOT_SIMPLE
    const { keys, types } = columns ?? this.#shapeOf(record)
    let at = start
    for (let place = 0; place < keys.length; place++) {
      at = packValue(valueOf(record, keys[place] ?? ''), types[place], bytes, at)
      if (at < 0) return at
    }
    if (at === bytes.length) return NO_ROOM
    bytes[at] = END_OF_ROW
    this.keys = columns === undefined ? keys : undefined
    return at + 1
  }

  /** Throws what is wrong with it. */
  textOf(value: unknown, index: number): never {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw formatError(
        this.#format,
        index,
        'it must be an object',
        received(value),
        'give objects, such as { name: value }',
      )
    }
    const record = value as AnyRecord
    const columns = this.#columns
    // A value that no column can have is told first, as on a thread that does not know the columns.
    for (const key of this.#isGiven ? (columns?.keys ?? []) : Object.keys(record)) this.#assertValue(record, key, index)
    const extra = columns && this.#extraKey(record, columns)
    if (extra !== undefined) throw keyError(this.#format, index, extra, columns?.keys ?? [])
    // A getter gives another value each time.
    throw formatError(this.#format, index, 'its values change while they are read', received(value), 'give plain data')
  }

  #know(keys: readonly string[]): void {
    this.#columns = this.#shapeFor(keys)
    this.#isColumn = new Set(keys)
  }

  #shapeOf(record: object): Shape {
    const last = this.#shape
    return last !== undefined && hasKeys(record, last.keys) ? last : (this.#shape = this.#shapeFor(Object.keys(record)))
  }

  #shapeFor(keys: readonly string[]): Shape {
    return { keys, types: keys.map((key) => this.#types.get(key)) }
  }

  #extraKey(record: AnyRecord, { keys }: Shape): string | undefined {
    return hasKeys(record, keys) ? undefined : Object.keys(record).find((key) => !this.#isColumn.has(key))
  }

  #assertValue(record: AnyRecord, key: string, index: number): void {
    const value = valueOf(record, key)
    if (value === null || value === undefined) return
    const type = this.#types.get(key)
    const own = type ?? typeOf(value)
    const cure = type === undefined ? 'make plain data of it in the task' : `change it in the task, or change 'types'`
    if (own === undefined || !fits(value, own)) {
      const expected = type === undefined ? ANY : EXPECTED[type]
      throw formatError(this.#format, index, `its field '${key}' must be ${expected}`, received(value), cure)
    }
    const text = own === 'json' ? jsonOf(value) : ''
    if (typeof text === 'string') return
    const { cause } = text ?? {}
    const reason =
      text === undefined
        ? `JSON has no such value as that of its field '${key}'`
        : `JSON.stringify() of its field '${key}' threw '${(cause as Partial<Error> | undefined)?.message ?? String(cause)}'`
    throw formatError(this.#format, index, reason, received(value), cure, text && { cause })
  }
}

const ANY = 'a string, number, boolean, bigint of 64 bits, valid Date, Uint8Array, plain data or null'

/** What a value of a column must be. */
export const EXPECTED: Readonly<Record<ColumnType, string>> = {
  string: 'a string or null',
  double: 'a number or null',
  int32: 'an integer of 32 bits or null',
  int64: 'a bigint of 64 bits, a safe integer or null',
  boolean: 'a boolean or null',
  timestamp: 'a valid Date or null',
  bytes: 'a Uint8Array or null',
  json: 'plain data or null',
}

/** What every object inherits is no value of a column that has its name. */
function valueOf(record: AnyRecord, key: string): unknown {
  return INHERITED.has(key) && !Object.hasOwn(record, key) ? undefined : record[key]
}
