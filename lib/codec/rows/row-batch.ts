/** A batch of rows of files that hold columns. It knows which rows they are; the thread that needs them decodes them. */
import type { Batch } from '../batch.js'
import { pack, type Packed } from '../codec.js'
import type { Place } from '../records/format.js'
import { BadRecord } from '../records/record-data.js'
import { fileOfRow, isDecoded, placeOfRow, rowAt, rowCursor, type RowData, type RowSegment } from './row-data.js'

/** About how many bytes the description of a unit takes. */
const UNIT_BYTES = 512

export class RowBatch implements Batch {
  /** It names rows of a file, and every thread reads that. */
  readonly isShared = true
  readonly length: number
  readonly #segments: readonly RowSegment[]

  constructor(segments: readonly RowSegment[]) {
    this.#segments = segments
    this.length = segments.reduce((sum, { count }) => sum + count, 0)
  }

  /** Only of units that have been decoded on this thread. A row that cannot be read gives a `BadRecord`. */
  values(): unknown[] {
    return Array.from({ length: this.length }, (_, position) => this.#valueAt(position))
  }

  /** Rows of other threads are given by these: see `Part.failedItems`. */
  valuesAt(positions: ReadonlyMap<number, boolean>): unknown[] {
    const values: unknown[] = []
    if (!this.#isHere) return values
    for (const position of positions.keys()) values[position] = this.#valueAt(position)
    return values
  }

  /** Gives the next row at each call. Throws the error of one that cannot be read, and continues behind it. */
  cursor(): () => unknown {
    return rowCursor({ kind: 'rows', count: this.length, segments: this.#segments }).next
  }

  placeOf(position: number): Place | undefined {
    return placeOfRow(this.#segments, position)
  }

  fileOf(position: number): string | undefined {
    return fileOfRow(this.#segments, position)
  }

  /** Where they have been decoded, the rows themselves. Throws if one of them cannot be read: see `values()`. */
  pack(): Packed {
    if (this.#isHere) {
      return pack(Array.from({ length: this.length }, (_, position) => rowAt(this.#segments, position)))
    }
    const data: RowData = { kind: 'rows', count: this.length, segments: this.#segments }
    return { data, transfer: [], bytes: UNIT_BYTES }
  }

  slice(start: number, end: number): RowBatch {
    const parts: RowSegment[] = []
    let first = 0
    for (const { unit, start: own, count } of this.#segments) {
      const [from, to] = [Math.max(0, start - first), Math.min(count, end - first)]
      if (from < to) parts.push({ unit, start: own + from, count: to - from })
      first += count
    }
    return new RowBatch(parts)
  }

  join(next: Batch): RowBatch | undefined {
    return next instanceof RowBatch ? new RowBatch([...this.#segments, ...next.#segments]) : undefined
  }

  forget(): void {
    // Nothing is held for a single row.
  }

  release(): void {
    // The rows are held for as long as their unit is in use.
  }

  get #isHere(): boolean {
    const [first] = this.#segments
    return first !== undefined && isDecoded(first.unit)
  }

  #valueAt(position: number): unknown {
    try {
      return rowAt(this.#segments, position)
    } catch (error) {
      return new BadRecord(error)
    }
  }
}
