/** The values of a chunk or a part, as bytes: `body(n)` in `format.ts`. */
import { holdsShared, pack, unpack, type Data } from '../codec/codec.js'
import type { Column } from '../codec/column.js'
import { allRecords, BadRecord, type RecordData } from '../codec/records/record-data.js'
import { Shapes } from '../codec/shapes.js'
import { NotSerializableError } from '../errors.js'
import { ByteReader } from './byte-reader.js'
import { ByteWriter, TooLargeError } from './byte-writer.js'
import { ColumnReader } from './column-reader.js'
import { ColumnWriter } from './column-writer.js'
import { BODY, MAX_BODY_LENGTH } from './format.js'
import { lineSegments, readLines, writeLines } from './lines.js'
import { ValueReader } from './value-reader.js'
import { ValueWriter } from './value-writer.js'

/** Makes records without generating code: their keys come from another machine. */
const shapes = new Shapes(Infinity)

/**
 * Packs values, and writes them.
 *
 * @param start As in `encodeData()`.
 * @throws NotSerializableError for a value that cannot leave this machine: it names the part, after `values`.
 *   TooLargeError. What `pack()` throws.
 */
export function encodeValues(values: readonly unknown[], start = 0): Uint8Array {
  try {
    const { data, bytes } = pack(values)
    return encodeData(data, bytes, start)
  } catch (error) {
    if (error instanceof TooLargeError) throw error
    // Without columns, the error tells where the part is.
    writeData(new ByteWriter(), values)
    throw error
  }
}

/** For the tags and lengths of values, beside their bytes. */
const OVERHEAD_BYTES = 1024

/**
 * Writes packed values. Lines go as their bytes; other records are decoded, and go as columns.
 *
 * @param bytes About how many there will be.
 * @param start How many bytes to leave free before them in their memory: a multiple of 8.
 * @throws NotSerializableError for a value that cannot leave this machine. The error of a bad record. TooLargeError.
 */
export function encodeData(data: Data, bytes = 0, start = 0): Uint8Array {
  if (holdsShared(data)) {
    throw new NotSerializableError('Cannot send a value to another machine as it holds an object that threads share')
  }
  const out = new ByteWriter(bytes + OVERHEAD_BYTES, start)
  writeData(out, data)
  if (out.length > MAX_BODY_LENGTH) throw new TooLargeError(`a message holds at most ${MAX_BODY_LENGTH} bytes`)
  return out.written
}

function writeData(out: ByteWriter, data: Data): void {
  const kind = (data as { readonly kind?: string }).kind
  if (kind === 'noted') {
    writeData(out, (data as Extract<Data, { kind: 'noted' }>).values)
  } else if (kind === 'bytes') {
    writeRecords(out, data as RecordData)
  } else if (Array.isArray(data)) {
    out.u8(BODY.values)
    const values = new ValueWriter(out)
    for (const [at, value] of data.entries()) values.write(value, `values[${at}]`)
  } else {
    out.u8(BODY.column)
    new ColumnWriter(out, new ValueWriter(out)).write(data as Column)
  }
}

function writeRecords(out: ByteWriter, data: RecordData): void {
  const lines = lineSegments(data)
  if (lines === undefined) {
    const values = allRecords(data)
    const bad = values.find((value) => value instanceof BadRecord)
    if (bad !== undefined) throw bad.error
    writeData(out, pack(values).data)
    return
  }
  out.u8(BODY.lines)
  writeLines(out, lines)
}

/**
 * Reads the values that `encodeData()` has written. Lines stay bytes; `unpack()` and `cursorOf()` decode them.
 *
 * @param count How many values there must be.
 * @throws WireError
 */
export function decodeData(bytes: Uint8Array, count: number): Data {
  const input = new ByteReader(bytes)
  const data = readData(input, count)
  input.assertEnd()
  return data
}

function readData(input: ByteReader, count: number): Data {
  const form = input.u8()
  switch (form) {
    case BODY.values: {
      input.assertLeft(count)
      const reader = new ValueReader(input)
      const values: unknown[] = []
      for (let at = 0; at < count; at++) values.push(reader.read())
      return values
    }
    case BODY.column:
      return unpack(new ColumnReader(input, new ValueReader(input)).read(count), shapes)
    case BODY.lines:
      return readLines(input, count)
    default:
      throw input.fault(`there are no values in form ${form}`)
  }
}
