/**
 * A batch of records that have been formatted: their UTF-8 bytes, and where each record ends. This is how results travel
 * from a worker to the output. A failed item has an empty record in its place.
 */
import type { Batch } from '../codec/batch.js'

/** Consecutive records of objects with these keys in this order, or of arrays of this length. It reaches to the next run. */
export interface Run {
  readonly keys: readonly string[] | number
  /** Its first record. */
  readonly from: number
}

/** The partition of each record, as the place of its name in a list. */
export interface Partitions {
  readonly names: readonly string[]
  readonly of: ArrayLike<number>
  /** Whether a record has the column of the partitions. Of others: false. */
  readonly hasColumn: boolean
}

/** Formatted records in a message. */
export interface FormattedData {
  readonly kind: 'formatted'
  readonly bytes: Uint8Array
  readonly ends: Uint32Array
  readonly runs: readonly Run[] | undefined
  readonly partitions: (Partitions & { readonly of: Uint32Array }) | undefined
}

/** What else is known of records. */
interface Notes {
  readonly runs?: readonly Run[] | undefined
  readonly partitions?: Partitions | undefined
}

export class Formatted implements Batch {
  readonly length: number
  /** For CSV without known columns: which records have which keys. Undefined: all records have the columns of the output. */
  readonly runs: readonly Run[] | undefined
  /** Undefined: the output has no partitions. */
  readonly partitions: Partitions | undefined
  #bytes: Uint8Array
  #ends: ArrayLike<number>

  constructor(bytes: Uint8Array, ends: ArrayLike<number>, { runs, partitions }: Notes = {}) {
    this.#bytes = bytes
    this.#ends = ends
    this.length = ends.length
    this.runs = runs
    this.partitions = partitions
  }

  static received({ bytes, ends, runs, partitions }: FormattedData): Formatted {
    return new Formatted(bytes, ends, { runs, partitions })
  }

  /** Of results that were given as values: each is a formatted record, or undefined in the place of a failed item. */
  static of(batch: Batch): Formatted {
    if (batch instanceof Formatted) return batch
    const parts = batch.values().map((value) => (value instanceof Formatted ? value : NOTHING))
    const [first] = parts
    return first === undefined || parts.length > 1 ? joined(parts) : first
  }

  /** They are the caller's: nobody else changes or reads them. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** Where each record ends in the bytes. */
  get ends(): ArrayLike<number> {
    return this.#ends
  }

  /** Each as a formatted record. */
  values(): Formatted[] {
    return Array.from({ length: this.length }, (_, record) => this.slice(record, record + 1))
  }

  /** The text of a record. */
  textOf(record: number): string {
    const { buffer, byteOffset } = this.#bytes
    const from = endOf(this.#ends, record - 1)
    return Buffer.from(buffer, byteOffset + from, endOf(this.#ends, record) - from).toString()
  }

  slice(start: number, end: number): Formatted {
    const [from, to] = [endOf(this.#ends, start - 1), endOf(this.#ends, end - 1)]
    const ends = Array.from({ length: end - start }, (_, at) => endOf(this.#ends, start + at) - from)
    const { runs, partitions } = this
    return new Formatted(this.#bytes.slice(from, to), ends, {
      runs: runs && runsBetween(runs, start, end),
      partitions: partitions && { ...partitions, of: between(partitions.of, start, end) },
    })
  }

  /** Those of the records that stay, once they are settled. They take over the bytes: these records are used no more. */
  keep(stays: (record: number) => boolean): Formatted {
    const { partitions } = this
    const ends: number[] = []
    const of: number[] = []
    let length = 0
    for (let record = 0, start = 0; record < this.length; record++) {
      const end = endOf(this.#ends, record)
      if (stays(record)) {
        // The record of an item that has failed is empty, so mostly nothing moves.
        if (start > length) this.#bytes.copyWithin(length, start, end)
        length += end - start
        ends.push(length)
        if (partitions !== undefined) of.push(partitions.of[record] ?? 0)
      }
      start = end
    }
    return new Formatted(this.#bytes.subarray(0, length), ends, { partitions: partitions && { ...partitions, of } })
  }

  join(): undefined {
    return undefined
  }

  /** For a message, with its transfer list: the bytes then belong to the other thread. */
  send(): { readonly data: FormattedData; readonly transfer: readonly ArrayBuffer[]; readonly bytes: number } {
    const { bytes, runs } = this
    const ends = Uint32Array.from(this.#ends)
    const partitions = this.partitions && { ...this.partitions, of: Uint32Array.from(this.partitions.of) }
    const transfer = [bytes.buffer as ArrayBuffer, ends.buffer]
    return {
      data: { kind: 'formatted', bytes, ends, runs, partitions },
      transfer,
      bytes: bytes.length + ends.byteLength,
    }
  }

  pack(): never {
    throw new Error('Formatted records go to an output, and not to a worker')
  }

  forget(): void {
    // One record cannot be given back without the others.
  }

  release(): void {
    this.#bytes = NOTHING.bytes
    this.#ends = []
  }
}

const NOTHING = new Formatted(new Uint8Array(0), [0])

function joined(parts: readonly Formatted[]): Formatted {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes.length, 0))
  const ends: number[] = []
  const runs: Run[] = []
  const names = new Map<string, number>()
  const of: number[] = []
  let length = 0
  for (const part of parts) {
    const { partitions } = part
    for (let record = 0; record < part.length; record++) {
      of.push(placeOf(names, partitions?.names[partitions.of[record] ?? 0] ?? ''))
    }
    for (const run of part.runs ?? []) runs.push({ ...run, from: run.from + ends.length })
    for (let record = 0; record < part.length; record++) ends.push(length + endOf(part.ends, record))
    bytes.set(part.bytes, length)
    length += part.bytes.length
  }
  const hasPartitions = parts.some(({ partitions }) => partitions !== undefined)
  const hasColumn = parts.some(({ partitions }) => partitions?.hasColumn === true)
  const notes = {
    runs: runs.length > 0 ? runs : undefined,
    partitions: hasPartitions ? { names: [...names.keys()], of, hasColumn } : undefined,
  }
  return new Formatted(bytes, ends, notes)
}

/** The place of a name in a list, which it joins. */
export function placeOf(names: Map<string, number>, name: string): number {
  let place = names.get(name)
  if (place === undefined) names.set(name, (place = names.size))
  return place
}

/** A part of a list: its cost must not depend on the length of the list, as `values()` asks for each record. */
function between(list: ArrayLike<number>, start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, at) => list[start + at] ?? 0)
}

function endOf(ends: ArrayLike<number>, record: number): number {
  return ends[record] ?? 0
}

/** The runs of the records from `start` up to `end`. */
function runsBetween(runs: readonly Run[], start: number, end: number): Run[] {
  const first = runs.findLastIndex(({ from }) => from <= start)
  return runs
    .filter(({ from }, at) => at >= first && from < end)
    .map((run) => ({ ...run, from: Math.max(0, run.from - start) }))
}

/** The results that a worker has sent: formatted, if that was asked for. */
export function isFormattedData(data: unknown): data is FormattedData {
  return (data as Partial<FormattedData>).kind === 'formatted'
}
