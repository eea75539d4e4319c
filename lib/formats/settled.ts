/** What an output makes of records whose turn has come. */
import { Formatted } from './formatted.js'

/** Records that fit the output, and the errors of those that do not: these have empty records. */
export interface Settled {
  readonly records: Formatted
  readonly errors: ReadonlyMap<number, Error> | undefined
}

const NOTHING = new Uint8Array(0)

/** Settles records one after the other. Nothing is copied before the first one that changes. */
export class SettledRows {
  readonly #records: Formatted
  #errors: Map<number, Error> | undefined
  #pieces: Uint8Array[] | undefined
  #ends: number[] = []
  #length = 0

  constructor(records: Formatted) {
    this.#records = records
  }

  /** The next record stays as it is. */
  keep(record: number): void {
    if (this.#pieces !== undefined) this.#add(this.#bytesOf(record))
  }

  /** The next record is this one instead. */
  replace(record: number, row: Uint8Array): void {
    this.#change(record)
    this.#add(row)
  }

  /** The next record does not fit. */
  fail(record: number, error: Error): void {
    this.replace(record, NOTHING)
    ;(this.#errors ??= new Map()).set(record, error)
  }

  /** After the last record. */
  take(): Settled {
    if (this.#pieces === undefined) return { records: this.#records, errors: undefined }
    const bytes = new Uint8Array(this.#length)
    let at = 0
    for (const piece of this.#pieces) {
      bytes.set(piece, at)
      at += piece.length
    }
    const { partitions } = this.#records
    return { records: new Formatted(bytes, this.#ends, { partitions }), errors: this.#errors }
  }

  #change(record: number): void {
    if (this.#pieces !== undefined) return
    const { bytes, ends } = this.#records
    this.#length = ends[record - 1] ?? 0
    this.#pieces = [bytes.subarray(0, this.#length)]
    this.#ends = Array.from({ length: record }, (_, before) => ends[before] ?? 0)
  }

  #add(row: Uint8Array): void {
    this.#pieces?.push(row)
    this.#length += row.length
    this.#ends.push(this.#length)
  }

  #bytesOf(record: number): Uint8Array {
    const { bytes, ends } = this.#records
    return bytes.subarray(ends[record - 1] ?? 0, ends[record])
  }
}
