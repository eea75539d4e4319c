/** Formats values as lines of text. */
import { received } from '../errors.js'
import { formatError } from './format-error.js'
import type { PlainFormat } from './output-format.js'
import { NOT_SIMPLE, type RecordSource } from './record-source.js'

export class TextLines implements RecordSource {
  readonly #format: PlainFormat

  constructor(format: PlainFormat) {
    this.#format = format
  }

  begin(): void {
    // Each line stands alone.
  }

  /** Many lines become bytes together: that is faster than one by one. */
  write(): number {
    return NOT_SIMPLE
  }

  textOf(value: unknown, index: number): string {
    if (typeof value === 'string') return `${value}\n`
    if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
      return `${String(value)}\n`
    const cure = 'make text of it, or choose another format: ndjson, json, csv, tsv'
    throw formatError(this.#format, index, 'it must be a string', received(value), cure)
  }
}
