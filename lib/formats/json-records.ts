/** Formats values as NDJSON, or as the elements of an array. */
import { received } from '../errors.js'
import { formatError } from './format-error.js'
import { jsonRow, type WriteRow } from './json-row.js'
import { hasEnumerableKeys, hasKeys } from './keys.js'
import type { PlainFormat } from './output-format.js'
import { NOT_SIMPLE, type RecordSource } from './record-source.js'

/** Code is generated for the records of this many different lists of keys. */
const MAX_GENERATED = 50
/** The other records of a batch are not looked at once this many more of them were not simple than were. */
const MAX_MISSES = 16
/** To look up the keys of a record takes as long as two simple records save. */
const LOOKUP_COST = 2

interface Shape {
  readonly keys: readonly string[]
  /** Undefined: its records are formatted as text. */
  readonly write: WriteRow | undefined
}

export class JsonRecords implements RecordSource {
  readonly #format: PlainFormat
  /** What stands in front of a record, and behind it. */
  readonly #before: string
  readonly #after: string
  readonly #shapes = new Map<string, Shape>()
  /** The shape of the last record, and the last other one: shapes often alternate. */
  #shape: Shape | undefined
  #shapeBefore: Shape | undefined
  /** Records of this batch that were not simple, less those that were. */
  #misses = 0

  constructor(format: PlainFormat) {
    this.#format = format
    // Each element of an array begins with the comma that separates it from the one before.
    ;[this.#before, this.#after] = format.kind === 'json' ? [',\n', ''] : ['', '\n']
  }

  begin(): void {
    // Where all objects inherit enumerable keys, `hasKeys()` can take these for their own.
    this.#misses = hasEnumerableKeys(Object.prototype) ? Infinity : 0
  }

  write(value: unknown, bytes: Buffer, at: number): number {
    if (this.#misses > MAX_MISSES || typeof value !== 'object' || value === null) return NOT_SIMPLE
    let end = NOT_SIMPLE
    try {
      // JSON tells arrays by what they are, and not by their prototype.
      if (Object.getPrototypeOf(value) === Object.prototype && !Array.isArray(value))
        end = this.#shapeOf(value).write?.(value, bytes, at) ?? NOT_SIMPLE
    } catch {
      // A getter or a proxy threw. It is asked again for the text, and its error is told.
    }
    if (end === NOT_SIMPLE) this.#misses++
    else if (this.#misses > 0) this.#misses--
    return end
  }

  textOf(value: unknown, index: number): string {
    return this.#before + this.#jsonOf(value, index) + this.#after
  }

  #shapeOf(record: object): Shape {
    const last = this.#shape
    if (last !== undefined && hasKeys(record, last.keys)) return last
    const before = this.#shapeBefore
    this.#shapeBefore = last
    this.#shape = before !== undefined && hasKeys(record, before.keys) ? before : this.#lookUp(record)
    return this.#shape
  }

  #lookUp(record: object): Shape {
    this.#misses += LOOKUP_COST
    const keys = Object.keys(record)
    const name = JSON.stringify(keys)
    let shape = this.#shapes.get(name)
    if (shape === undefined) {
      const mayGenerate = this.#shapes.size < MAX_GENERATED
      shape = { keys, write: mayGenerate ? jsonRow(keys, this.#before, this.#after) : undefined }
      if (mayGenerate) this.#shapes.set(name, shape)
    }
    return shape
  }

  #jsonOf(value: unknown, index: number): string {
    let text: unknown
    try {
      text = JSON.stringify(value)
    } catch (cause) {
      const reason = `JSON.stringify() threw '${(cause as Partial<Error> | undefined)?.message ?? String(cause)}'`
      throw formatError(this.#format, index, reason, received(value), 'give plain data', { cause })
    }
    if (typeof text === 'string') return text
    throw formatError(this.#format, index, 'JSON has no such value', received(value), 'give plain data, or null')
  }
}
