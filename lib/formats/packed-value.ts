/**
 * The values of packed rows, as bytes: a tag for the type, and the value. Text and bytes have their length in front of
 * them. Numbers are little-endian.
 */
import { TAG, typeOf, fits, type ColumnType, type Tag } from './column-type.js'
import { NO_ROOM, NOT_SIMPLE } from './record-source.js'
import { MAX_BYTES_PER_UNIT, writeText } from './utf8.js'

const TAG_SIZE = 1
const LENGTH_SIZE = 4
/** Room for a tag with a number, or with a length. */
const MIN_ROOM = TAG_SIZE + Float64Array.BYTES_PER_ELEMENT
/** For longer text, the room is not guessed: most of it would stay empty. In UTF-16 units. */
const MAX_SHORT_LENGTH = 40

/**
 * Writes a value.
 *
 * @param type That of its column. Undefined: that of the value.
 * @returns The position behind it; `NOT_SIMPLE` if no column, or not this one, can have it; or `NO_ROOM`.
 */
export function packValue(value: unknown, type: ColumnType | undefined, bytes: Buffer, at: number): number {
  if (at + MIN_ROOM > bytes.length) return NO_ROOM
  if (value === null || value === undefined) {
    bytes[at] = TAG.null
    return at + TAG_SIZE
  }
  const own = type ?? typeOf(value)
  if (own === undefined || (type !== undefined && !fits(value, type))) return NOT_SIMPLE
  const start = at + TAG_SIZE
  switch (own) {
    case 'string':
      return packText(TAG.string, value as string, bytes, at)
    case 'double':
      bytes[at] = TAG.double
      return bytes.writeDoubleLE(value as number, start)
    case 'int32':
      bytes[at] = TAG.int32
      return bytes.writeInt32LE(value as number, start)
    case 'int64':
      bytes[at] = TAG.int64
      return bytes.writeBigInt64LE(BigInt(value as number | bigint), start)
    case 'boolean':
      bytes[at] = TAG.boolean
      bytes[start] = value === true ? 1 : 0
      return start + 1
    case 'timestamp':
      bytes[at] = TAG.timestamp
      return bytes.writeBigInt64LE(BigInt((value as Date).getTime()), start)
    case 'bytes':
      return packBytes(value as Uint8Array, bytes, at)
    case 'json': {
      const text = jsonOf(value)
      return typeof text === 'string' ? packText(TAG.json, text, bytes, at) : NOT_SIMPLE
    }
  }
}

/** Undefined where JSON has no such value; the error that it gave where it threw one. */
export function jsonOf(value: unknown): string | undefined | { readonly cause: unknown } {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    return { cause }
  }
}

function packText(tag: Tag, text: string, bytes: Buffer, at: number): number {
  const start = at + TAG_SIZE + LENGTH_SIZE
  const isShort = text.length <= MAX_SHORT_LENGTH
  const size = isShort ? text.length * MAX_BYTES_PER_UNIT : Buffer.byteLength(text)
  if (start + size > bytes.length) return NO_ROOM
  const end = isShort ? writeText(text, bytes, start) : start + bytes.write(text, start)
  bytes[at] = tag
  bytes.writeUInt32LE(end - start, at + TAG_SIZE)
  return end
}

function packBytes(value: Uint8Array, bytes: Buffer, at: number): number {
  const start = at + TAG_SIZE + LENGTH_SIZE
  if (start + value.length > bytes.length) return NO_ROOM
  bytes[at] = TAG.bytes
  bytes.writeUInt32LE(value.length, at + TAG_SIZE)
  bytes.set(value, start)
  return start + value.length
}

/** The position behind the value that begins here. */
export function endOfValue(bytes: Uint8Array, at: number): number {
  const start = at + TAG_SIZE
  switch (bytes[at]) {
    case TAG.null:
      return start
    case TAG.boolean:
      return start + 1
    case TAG.int32:
      return start + Int32Array.BYTES_PER_ELEMENT
    case TAG.double:
    case TAG.int64:
    case TAG.timestamp:
      return start + Float64Array.BYTES_PER_ELEMENT
    default:
      return start + LENGTH_SIZE + lengthAt(bytes, start)
  }
}

/** The value that begins here. A timestamp is its milliseconds. Text and JSON stay UTF-8, in the same memory. */
export function unpackValue(bytes: Buffer, at: number): number | bigint | boolean | Uint8Array | null {
  const start = at + TAG_SIZE
  switch (bytes[at]) {
    case TAG.null:
      return null
    case TAG.boolean:
      return bytes[start] === 1
    case TAG.int32:
      return bytes.readInt32LE(start)
    case TAG.double:
      return bytes.readDoubleLE(start)
    case TAG.int64:
    case TAG.timestamp:
      return bytes.readBigInt64LE(start)
    default:
      return new Uint8Array(bytes.buffer, bytes.byteOffset + start + LENGTH_SIZE, lengthAt(bytes, start))
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16)
  return low + (bytes[at + 3] ?? 0) * 2 ** 24
}
