/** Makes rows of lines whose fields are at fixed places, by code that is generated for these places. */
import { attempt } from '../../errors.js'
import { compile } from '../compile.js'
import { decodeText } from '../line-text.js'
import { causeOf, RecordFault } from './record-fault.js'
import { ConversionError, converter } from './csv-types.js'
import type { FixedFormat } from './format.js'

/** Longer rows are made by a loop: the code would be long. */
const MAX_FIELDS_FOR_CODE = 500
/** Half of a character that has two units in a string. */
const SURROGATE = /[\ud800-\udfff]/

/** A line, as its places are counted. */
interface Line {
  readonly length: number
  slice(start: number, end: number): string
}

export interface FixedReader {
  /** The row of a line: its text, or each of its bytes as a character. Throws a `RecordFault`. */
  readonly ofLine: (line: string) => unknown
  /** The row of the text of a line. Throws a `RecordFault`. */
  readonly ofText: (text: string) => unknown
}

export function fixedReader(format: FixedFormat): FixedReader {
  const { encoding, inBytes } = format
  const build = rowBuilder(format)
  const row = (line: Line): unknown => {
    try {
      return build(line)
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error
      const name = format.names[error.index] ?? ''
      throw new RecordFault('ERR_FIXED_TYPE', `column '${name}' ${error.message}`, causeOf(error))
    }
  }
  const ofLine = (line: string): unknown => row(!inBytes && SURROGATE.test(line) ? new Characters(line) : line)
  // In encodings with a byte for each character, places are the same.
  const isLonger = inBytes && encoding === 'utf8'
  return { ofLine, ofText: isLonger ? (text) => ofLine(Buffer.from(text).toString('latin1')) : ofLine }
}

/** A line by its characters. */
class Characters implements Line {
  readonly #all: readonly string[]

  constructor(line: string) {
    this.#all = Array.from(line)
  }

  get length(): number {
    return this.#all.length
  }

  slice(start: number, end: number): string {
    return this.#all.slice(start, end).join('')
  }
}

type Build = (line: Line) => unknown

function rowBuilder(format: FixedFormat): Build {
  const { names, starts, ends } = format
  const read = fieldReader(format)
  const generate = (): Build => {
    const fields = names.map(
      // A computed name, since `__proto__: value` sets the prototype.
      (name, index) => `[${JSON.stringify(name)}]: read(line, ${starts[index] ?? 0}, ${ends[index] ?? -1}, ${index})`,
    )
    return compile('read', `return (line) => ({ ${fields.join(', ')} })`)(read) as Build
  }
  const generated = names.length > MAX_FIELDS_FOR_CODE ? undefined : attempt(generate)
  if (generated !== undefined) return generated
  return (line) =>
    Object.fromEntries(names.map((name, index) => [name, read(line, starts[index] ?? 0, ends[index] ?? -1, index)]))
}

type ReadField = (line: Line, start: number, end: number, index: number) => unknown

function fieldReader(format: FixedFormat): ReadField {
  const { encoding, inBytes, pad, trim, types } = format
  const convert = types.map((type, index) => type && converter(type, index))
  return (line, start, end, index) => {
    const { length } = line
    if (!pad && length < (end < 0 ? start : end)) throw shortFault(format, index, length)
    const bytes = line.slice(start, end < 0 ? length : end)
    const whole = inBytes ? decoded(bytes, encoding) : bytes
    const text = trim ? trimmed(whole) : whole
    const own = convert[index]
    return own === undefined ? text : own(text)
  }
}

/** @param bytes Each byte as a character. */
function decoded(bytes: string, encoding: string): string {
  return encoding === 'latin1' || isAsciiText(bytes) ? bytes : decodeText(Buffer.from(bytes, 'latin1'), encoding)
}

function isAsciiText(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false
  return true
}

/** Without spaces and tabs around it. */
function trimmed(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isPadding(text.charCodeAt(start))) start++
  while (end > start && isPadding(text.charCodeAt(end - 1))) end--
  return end - start === text.length ? text : text.slice(start, end)
}

const SPACE = 32
const TAB = 9

function isPadding(code: number): boolean {
  return code === SPACE || code === TAB
}

function shortFault({ names, starts, ends, inBytes }: FixedFormat, index: number, length: number): RecordFault {
  const end = ends[index] ?? -1
  const needed = end < 0 ? (starts[index] ?? 0) : end
  const unit = inBytes ? 'bytes' : 'characters'
  const cure = "with ragged: 'pad' missing fields are empty"
  return new RecordFault(
    'ERR_FIXED_LINE',
    `it must have ${needed} ${unit} for column '${names[index] ?? ''}': received ${length} (${cure})`,
  )
}
