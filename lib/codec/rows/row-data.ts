/**
 * Rows of files that hold columns, such as Parquet, as a message carries them: which rows of which part of a file. The
 * thread that receives them reads that part of the file itself. What reads it is in lib/parquet.
 */
import type { Place } from '../records/format.js'

/** Rows of a file that are decoded together: a row group, or a piece of it. Can be cloned. */
export interface RowUnit {
  /** The same for the same rows of the same file, and for these alone. */
  readonly key: string
  /** The path. */
  readonly file: string
  /** The number of the first row in its file, from 1. */
  readonly record: number
  /** Where the row group begins in the file, in bytes. */
  readonly offset: number
  readonly count: number
  /** What its reader needs to know. */
  readonly plan: unknown
}

/** Some rows of a unit: `count` of them, from `start` on. */
export interface RowSegment {
  readonly unit: RowUnit
  readonly start: number
  readonly count: number
}

export interface RowData {
  readonly kind: 'rows'
  readonly count: number
  readonly segments: readonly RowSegment[]
}

/** A unit that has been decoded. */
export interface DecodedRows {
  /** Makes the row at this position of the unit. Throws the error of a row that cannot be read. */
  row(position: number): unknown
}

/** By unit, as long as that is in use. */
const decoded = new WeakMap<RowUnit, DecodedRows>()

export function noteDecoded(unit: RowUnit, rows: DecodedRows): void {
  decoded.set(unit, rows)
}

/** Whether all rows can be read on this thread. */
export function areDecoded({ segments }: RowData): boolean {
  return segments.every(({ unit }) => decoded.has(unit))
}

export function isDecoded(unit: RowUnit): boolean {
  return decoded.has(unit)
}

/** A row by its position among all. Only when its unit has been decoded. */
export function rowAt(segments: readonly RowSegment[], position: number): unknown {
  const found = findRow(segments, position)
  const rows = found && decoded.get(found.unit)
  if (rows === undefined) throw new RangeError(`Cannot read row ${position} as its row group has not been decoded`)
  return rows.row(found?.position ?? 0)
}

export function placeOfRow(segments: readonly RowSegment[], position: number): Place | undefined {
  const found = findRow(segments, position)
  return found && placeInUnit(found.unit, found.position)
}

/** Where a row is in its file. A file of columns has no lines, so the number of the row stands for that of its line. */
export function placeInUnit({ file, record: first, offset }: RowUnit, position: number): Place {
  const record = first + position
  return { file, record, line: record, offset, length: 0 }
}

export function fileOfRow(segments: readonly RowSegment[], position: number): string | undefined {
  return findRow(segments, position)?.unit.file
}

function findRow(
  segments: readonly RowSegment[],
  position: number,
): { readonly unit: RowUnit; readonly position: number } | undefined {
  let first = 0
  for (const { unit, start, count } of segments) {
    if (position < first + count) return { unit, position: start + position - first }
    first += count
  }
  return undefined
}

/** The rows in turn. `next` and `skip` may be called `count` times in all. */
export function rowCursor({ segments }: RowData): { readonly next: () => unknown; readonly skip: () => void } {
  let at = 0
  let within = 0
  const step = (): { readonly unit: RowUnit; readonly position: number } => {
    for (;;) {
      const segment = segments[at]
      if (segment === undefined) throw new RangeError('Cannot read a row as all have been read')
      if (within < segment.count) return { unit: segment.unit, position: segment.start + within++ }
      at++
      within = 0
    }
  }
  let unit: RowUnit | undefined
  let rows: DecodedRows | undefined
  const next = (): unknown => {
    const found = step()
    if (found.unit !== unit) {
      unit = found.unit
      rows = decoded.get(unit)
    }
    if (rows === undefined) throw new RangeError(`Cannot read a row of '${unit.file}' as it has not been decoded`)
    return rows.row(found.position)
  }
  return { next, skip: step }
}
