/** Where a record is in its input. Computed when somebody asks: until then a segment knows only where it begins. */
import { CARRIAGE_RETURN, NEWLINE } from '../line-end.js'
import { decodeText } from '../line-text.js'
import { contentStart } from './csv-record.js'
import type { Place, RecordSegment } from './format.js'

const SPACE = 32
const TAB = 9

/** Where the record with this number in the segment begins: behind bytes that belong to no record. */
export function startOf(segment: RecordSegment, index: number): number {
  const { format, start, ends, endsAt, memory } = segment
  let at = index === 0 ? start : (new Uint32Array(ends, endsAt, index)[index - 1] ?? start)
  if (format.kind === 'lines') return at
  const end = new Uint32Array(ends, endsAt, index + 1)[index] ?? at
  const bytes = new Uint8Array(memory)
  if (format.kind === 'csv') return contentStart(bytes, at, end - 1, format.dialect)
  const isBefore = format.kind === 'fixed' ? isLineEnd : isSpace
  while (at < end - 1 && isBefore(bytes[at])) at++
  return at
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === NEWLINE || byte === CARRIAGE_RETURN
}

function isSpace(byte: number | undefined): boolean {
  return isLineEnd(byte) || byte === SPACE || byte === TAB
}

/** The place of the record with this number in the segment. */
export function placeIn(segment: RecordSegment, index: number): Place {
  const at = startOf(segment, index)
  const record = segment.record + index
  return {
    file: segment.file,
    record,
    line: segment.line === undefined ? record : lineOf(segment, segment.line, at),
    offset: segment.offset + at - segment.start,
    length: endOf(segment, index, at) - at,
  }
}

interface KnownLine {
  /** The `lineAt` of the segment. */
  readonly from: number
  readonly at: number
  readonly line: number
}

/**
 * The last line that was asked for, by the memory of the segment, as its owner keeps it, or else by segment. Most tasks
 * ask for one after the other. On this thread, each item has a segment.
 */
const lastLines = new WeakMap<object, KnownLine>()

/** The number of the line in which a segment begins; undefined where each record is one line. */
export function firstLineOf(segment: RecordSegment): number | undefined {
  return segment.line === undefined ? undefined : lineOf(segment, segment.line, segment.start)
}

/** @param line The number of the line at `lineAt` of the segment. */
function lineOf(segment: RecordSegment & { readonly bytesIn?: object }, line: number, at: number): number {
  const from = segment.lineAt
  const key = segment.bytesIn ?? segment
  const last = lastLines.get(key)
  const known = last?.from === from && last.at <= at ? last : { at: from, line }
  const found = known.line + newlinesIn(segment.memory, known.at, at, newlineOf(segment))
  lastLines.set(key, { from, at, line: found })
  return found
}

/** Where a record ends in the memory, without the end of its line. */
function endOf({ format, ends, endsAt, memory, count, isOpen }: RecordSegment, index: number, start: number): number {
  const delimiter = format.kind === 'lines' ? format.delimiter : undefined
  const end = (new Uint32Array(ends, endsAt, index + 1)[index] ?? start) - (delimiter?.length ?? 1)
  const isLastOpen = isOpen && index === count - 1
  if (isLastOpen || delimiter !== undefined || end <= start) return end
  return new Uint8Array(memory, end - 1, 1)[0] === CARRIAGE_RETURN ? end - 1 : end
}

/** A record as it is written, without the end of its line. */
export function textIn(segment: RecordSegment, index: number): string {
  const start = startOf(segment, index)
  const bytes = Buffer.from(segment.memory, start, endOf(segment, index, start) - start)
  return decodeText(bytes, segment.format.encoding)
}

/** The segment that a record is in, by its number among all, and its number there. */
export function findRecord<S extends RecordSegment>(
  segments: readonly S[],
  index: number,
): { readonly segment: S; readonly index: number } | undefined {
  let first = 0
  for (const segment of segments) {
    if (index < first + segment.count) return { segment, index: index - first }
    first += segment.count
  }
  return undefined
}

function newlineOf({ format }: RecordSegment): number {
  return format.kind === 'csv' ? format.dialect.newline : NEWLINE
}

/** How many lines end in a part of a memory. */
export function newlinesIn(memory: ArrayBufferLike, start: number, end: number, newline: number): number {
  const bytes = Buffer.from(memory, start, end - start)
  let count = 0
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count++
  return count
}
