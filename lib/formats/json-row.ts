/**
 * Writes records as the bytes of their JSON, by code that is generated for their keys. It gives the same bytes as
 * `JSON.stringify()`, for plain objects of strings, numbers, booleans and null, in a third of the time.
 */
import { compile } from '../codec/compile.js'
import { attempt } from '../errors.js'
import { NO_ROOM, NOT_SIMPLE } from './record-source.js'
import {
  codeToWrite,
  isPair,
  isSurrogate,
  MAX_STRING_LENGTH,
  MAX_VALUE_LENGTH,
  writeAscii,
  writeNumber,
  writePair,
  writeUnit,
} from './utf8.js'

/** Writes a record that has the right keys: see `RecordSource`. */
export type WriteRow = (record: object, bytes: Buffer, at: number) => number

/**
 * V8 does not optimize a function of more than 60 KB of bytecode. A byte of the keys is 23 bytes of that, and each field
 * is as much as 7 bytes of keys.
 */
const MAX_SIZE = 2_500
const FIELD_SIZE = 7

/** Longer strings are written by Node's encoder. At this length both take about 100 ns. */
const MAX_SHORT_LENGTH = 40
/** What JSON escapes. */
const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/
/** A control character becomes this many bytes. */
const MAX_ESCAPED_LENGTH = 6

/**
 * @param before What stands in front of each record, and behind it: ASCII.
 * @returns Undefined where no code can be generated, or it would be too long.
 */
export function jsonRow(keys: readonly string[], before: string, after: string): WriteRow | undefined {
  const openings = keys.map((key, index) => `${index === 0 ? `${before}{` : ','}${JSON.stringify(key)}:`)
  const length = openings.reduce((sum, opening) => sum + Buffer.byteLength(opening), before.length + after.length + 2)
  if (length + keys.length * FIELD_SIZE > MAX_SIZE) return undefined
  return attempt(() => generate(keys, openings, `${keys.length === 0 ? `${before}{` : ''}}${after}`, length))
}

/** The keys are the only text from outside. They are written as JSON. @param length Of all that is not a value, in bytes. */
function generate(keys: readonly string[], openings: readonly string[], closing: string, length: number): WriteRow {
  /** Room for all but strings. */
  const reserve = length + keys.length * MAX_VALUE_LENGTH
  const fields = keys.map(
    (key, index) => `${codeToWrite(openings[index] ?? '')}
      value = record[${JSON.stringify(key)}]
      if (typeof value === 'string') {
        if (at + ${reserve} + value.length * ${MAX_ESCAPED_LENGTH} > bytes.length)
          return value.length > ${MAX_STRING_LENGTH} ? ${NOT_SIMPLE} : ${NO_ROOM}
        at = writeString(value, bytes, at)
      } else if ((at = writeOther(value, bytes, at)) < 0) return ${NOT_SIMPLE}`,
  )
  const body = `return (record, bytes, at) => {
    let value
    if (at + ${reserve} > bytes.length) return ${NO_ROOM}
    if (typeof record.toJSON === 'function') return ${NOT_SIMPLE}
    ${fields.join('\n')}
    ${codeToWrite(closing)}
    return at
  }`
  return compile('writeString', 'writeOther', body)(writeString, writeOther) as WriteRow
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const AFTER_ASCII = 0x80

/** Writes a string for which there is room, in quotes. @returns The position behind it. */
function writeString(text: string, bytes: Buffer, at: number): number {
  const { length } = text
  if (length > MAX_SHORT_LENGTH) return writeLong(text, bytes, at)
  bytes[at++] = QUOTE
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= SPACE && unit < AFTER_ASCII && unit !== QUOTE && unit !== BACKSLASH) bytes[at++] = unit
    else if (isPair(unit, text.charCodeAt(index + 1))) at = writePair(unit, text.charCodeAt(++index), bytes, at)
    else if (unit < AFTER_ASCII || isSurrogate(unit)) at = writeAscii(ESCAPES[unit] ?? escapeOf(unit), bytes, at)
    else at = writeUnit(unit, bytes, at)
  }
  bytes[at++] = QUOTE
  return at
}

function writeLong(text: string, bytes: Buffer, at: number): number {
  if (ESCAPED.test(text)) return at + bytes.write(JSON.stringify(text), at)
  bytes[at++] = QUOTE
  at += bytes.write(text, at)
  bytes[at++] = QUOTE
  return at
}

/** A unit that JSON escapes, as it does that. */
function escapeOf(unit: number): string {
  return JSON.stringify(String.fromCharCode(unit)).slice(1, -1)
}

/** Of ASCII characters. */
const ESCAPES = Array.from({ length: AFTER_ASCII }, (_, unit) => escapeOf(unit))

/** Writes a value that is no string. @returns The position behind it, or `NOT_SIMPLE`. */
function writeOther(value: unknown, bytes: Uint8Array, at: number): number {
  if (typeof value === 'number' && Number.isFinite(value)) return writeNumber(value, bytes, at)
  if (typeof value === 'boolean') return writeAscii(value ? 'true' : 'false', bytes, at)
  return typeof value === 'number' || value === null ? writeAscii('null', bytes, at) : NOT_SIMPLE
}
