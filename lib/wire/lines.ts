/** Lines as blocks of bytes: they are decoded where they are used. See `body(n)` in `format.ts`. */
import { isAscii } from 'node:buffer'
import { CARRIAGE_RETURN } from '../codec/line-end.js'
import type { LineFormat, RecordFormat, RecordSegment } from '../codec/records/format.js'
import type { RecordData } from '../codec/records/record-data.js'
import { attempt } from '../errors.js'
import type { ByteReader } from './byte-reader.js'
import type { ByteWriter } from './byte-writer.js'

const OPEN = 1
const FILE = 2
const MAX_ENCODING_LENGTH = 32

type LineSegment = RecordSegment & { readonly format: LineFormat }

/** The segments, if all are of lines. */
export function lineSegments({ segments }: RecordData): readonly LineSegment[] | undefined {
  return segments.every((segment): segment is LineSegment => isOfLines(segment.format)) ? segments : undefined
}

function isOfLines({ kind }: RecordFormat): boolean {
  return kind === 'lines'
}

export function writeLines(out: ByteWriter, segments: readonly LineSegment[]): void {
  const formats = [...new Set(segments.map(({ format }) => format))]
  out.varint(formats.length)
  for (const { encoding, delimiter } of formats) {
    out.string(encoding)
    out.u8(delimiter === undefined ? 0 : 1)
    if (delimiter !== undefined) out.bytes(delimiter)
  }
  out.varint(segments.length)
  const ends = segments.map(({ ends, endsAt, count }) => new Uint32Array(ends, endsAt, count))
  for (const [at, segment] of segments.entries()) {
    out.varint(formats.indexOf(segment.format))
    out.varint(segment.count)
    out.varint(textOf(segment, ends[at]).length)
    out.u8((segment.isOpen ? OPEN : 0) | (segment.file === undefined ? 0 : FILE))
    if (segment.file !== undefined) out.string(segment.file)
    out.varint(segment.record)
    out.varint(segment.offset)
  }
  out.pad(Uint32Array.BYTES_PER_ELEMENT)
  let start = 0
  for (const [at, segment] of segments.entries()) {
    const shift = start - segment.start
    out.array((ends[at] ?? NO_ENDS).map((end) => end + shift))
    start += textOf(segment, ends[at]).length
  }
  for (const [at, segment] of segments.entries()) out.raw(textOf(segment, ends[at]))
}

const NO_ENDS = new Uint32Array(0)

/** The bytes of the lines. The end of an open line is where its delimiter would end. */
function textOf({ memory, start, isOpen, format }: LineSegment, ends: Uint32Array = NO_ENDS): Uint8Array {
  const end = (ends[ends.length - 1] ?? start) - (isOpen ? delimiterLength(format) : 0)
  return new Uint8Array(memory, start, end - start)
}

function delimiterLength({ delimiter }: LineFormat): number {
  return delimiter?.length ?? 1
}

interface Header {
  readonly format: LineFormat
  readonly count: number
  readonly length: number
  readonly isOpen: boolean
  readonly file: string | undefined
  readonly record: number
  readonly offset: number
}

export function readLines(input: ByteReader, count: number): RecordData {
  const formats = Array.from({ length: input.count() }, () => readFormat(input))
  const headers = Array.from({ length: input.count() }, () => readHeader(input, formats))
  if (headers.reduce((sum, header) => sum + header.count, 0) !== count) throw input.fault('its lines are not as many')
  const ends = new Uint32Array(input.array(Uint32Array, count))
  const text = input.raw(input.left)
  if (headers.reduce((sum, header) => sum + header.length, 0) !== text.length) {
    throw input.fault('its lines are not as long')
  }
  // Records stand in shared memory, so that workers can read them.
  const memory = new SharedArrayBuffer(text.length)
  new Uint8Array(memory).set(text)
  const sharedEnds = new SharedArrayBuffer(ends.byteLength)
  new Uint32Array(sharedEnds).set(ends)
  const segments: RecordSegment[] = []
  let start = 0
  let first = 0
  for (const header of headers) {
    const last = first + header.count
    assertEnds(input, header, ends.subarray(first, last), start)
    const bytes = text.subarray(start, start + header.length)
    const { format, count, isOpen, file, record, offset } = header
    segments.push({
      format,
      memory,
      start,
      ends: sharedEnds,
      endsAt: first * Uint32Array.BYTES_PER_ELEMENT,
      count,
      isAscii: isAscii(bytes),
      hasReturns: bytes.includes(CARRIAGE_RETURN),
      isOpen,
      file,
      record,
      offset,
      line: undefined,
      lineAt: 0,
    })
    start += header.length
    first = last
  }
  return { kind: 'bytes', count, segments }
}

function readFormat(input: ByteReader): LineFormat {
  const encoding = input.string()
  if (!isEncoding(encoding)) throw input.fault('its lines are in no known encoding')
  if (input.choice('kind of delimiter', 1) === 0) return { kind: 'lines', encoding }
  const delimiter = new Uint8Array(input.bytes())
  if (delimiter.length === 0) throw input.fault('a delimiter is empty')
  return { kind: 'lines', encoding, delimiter }
}

function isEncoding(name: string): boolean {
  if (name === 'utf8' || name === 'latin1') return true
  return name.length <= MAX_ENCODING_LENGTH && attempt(() => new TextDecoder(name).encoding) === name
}

function readHeader(input: ByteReader, formats: readonly LineFormat[]): Header {
  const format = formats[input.varint()]
  if (format === undefined) throw input.fault('lines have no format')
  const count = input.varint()
  if (count === 0) throw input.fault('a block has no lines')
  const length = input.varint()
  const flags = input.choice('property of lines', OPEN | FILE)
  const file = flags & FILE ? input.string() : undefined
  const record = input.varint()
  const offset = input.varint()
  return { format, count, length, isOpen: (flags & OPEN) !== 0, file, record, offset }
}

/** Each line is at least a delimiter, and the last one ends where the bytes of its block do. */
function assertEnds(input: ByteReader, header: Header, ends: Uint32Array, start: number): void {
  const shortest = delimiterLength(header.format)
  let last = start
  for (const end of ends) {
    if (end < last + shortest) throw input.fault('a line ends before it begins')
    last = end
  }
  if (last - (header.isOpen ? shortest : 0) !== start + header.length) throw input.fault('a block ends inside a line')
}
