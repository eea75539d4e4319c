/** Formats values as NDJSON, or as the elements of an array. */
import { received } from '../errors.js'
import { formatError } from './format-error.js'
import { jsonRow, type WriteRow } from './json-row.js'
import { hasEnumerableKeys, hasKeys } from './keys.js'
import type { PlainFormat } from './output-format.js'
import { NO_ROOM, NOT_SIMPLE, type RecordSource } from './record-source.js'

/** Code is generated for the records of this many different lists of keys. */
const MAX_GENERATED = 50
/** Records with the same keys are no longer looked at if this many more of them are not simple than are. */
const MAX_MISSES = 16

interface Shape {
  readonly keys: readonly string[]
  /** Undefined: its records are formatted as text. */
  write: WriteRow | undefined
  misses: number
}

export class JsonRecords implements RecordSource {
  readonly #format: PlainFormat
  /** What stands in front of a record, and behind it. */
  readonly #before: string
  readonly #after: string
  readonly #shapes = new Map<string, Shape>()
  #shape: Shape | undefined
  #mayWrite = false

  constructor(format: PlainFormat) {
    this.#format = format
    // Each element of an array begins with the comma that separates it from the one before.
    ;[this.#before, this.#after] = format.kind === 'json' ? [',\n', ''] : ['', '\n']
  }

  begin(): void {
    this.#mayWrite = !hasEnumerableKeys(Object.prototype)
  }

  write(value: unknown, bytes: Buffer, at: number): number {
    if (typeof value !== 'object' || value === null || !this.#mayWrite) return NOT_SIMPLE
    if (Object.getPrototypeOf(value) !== Object.prototype) return NOT_SIMPLE
    const shape = this.#shapeOf(value)
    let end = NOT_SIMPLE
    try {
      end = shape.write?.(value, bytes, at) ?? NOT_SIMPLE
    } catch {
      // A getter threw. It is called again for the text, and its error is told.
    }
    if (end >= 0) {
      if (shape.misses > 0) shape.misses--
    } else if (end !== NO_ROOM && ++shape.misses > MAX_MISSES) shape.write = undefined
    return end
  }

  textOf(value: unknown, index: number): string {
    return this.#before + this.#jsonOf(value, index) + this.#after
  }

  #shapeOf(record: object): Shape {
    if (this.#shape !== undefined && hasKeys(record, this.#shape.keys)) return this.#shape
    const keys = Object.keys(record)
    const name = JSON.stringify(keys)
    let shape = this.#shapes.get(name)
    if (shape === undefined) {
      const mayGenerate = this.#shapes.size < MAX_GENERATED
      shape = { keys, write: mayGenerate ? jsonRow(keys, this.#before, this.#after) : undefined, misses: 0 }
      if (mayGenerate) this.#shapes.set(name, shape)
    }
    this.#shape = shape
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
