/**
 * Makes objects with some of the keys of records of JSON. The kernel writes the wanted members of a piece of records as
 * one array, which is parsed at once. Records that are not so simple are read one by one.
 */
import { isAscii } from 'node:buffer'
import { findMembers, IN_DOUBT, MAX_BYTES, MembersFinder, recordsAtOnce } from '../../scan/members.js'
import { attempt } from '../../errors.js'
import { compile } from '../compile.js'
import { NO_BYTES } from '../line-end.js'
import { decoderOf, type Decode } from '../line-text.js'
import { memoryOf, type Memory } from '../memory.js'
import type { JsonFormat, RecordDecoder, RecordSegment } from './format.js'
import { jsonValue } from './json-value.js'
import { placedFault } from './record-fault.js'

/** Records that are read at once. Their values wait for each other. */
const PIECE_SIZE = 16 * 1024
const NO_ENDS = new Uint32Array(0)
/** What bytes become that are not text: a name that has it may be written in many ways. */
const REPLACEMENT = '\ufffd'

export class JsonColumnsDecoder implements RecordDecoder {
  readonly #format: JsonFormat & { readonly columns: readonly string[] }
  readonly #decode: Decode | undefined
  /** The names that records can have without escapes, as JSON with a colon behind. Undefined: bytes tell no names. */
  readonly #names: readonly string[] | undefined
  /** The same as bytes. And their positions by their names alone, as bytes that are read as latin1. */
  readonly #nameBytes: readonly Buffer[] = []
  readonly #columns = new Map<string, number>()
  /** Makes the object of a record that has all of these names, in the same order. */
  readonly #build: BuildObject
  #finder: MembersFinder | undefined
  #hasFinder = true
  #segment: RecordSegment | undefined
  #memory = NO_BYTES as Memory
  #ends: Uint32Array = NO_ENDS
  /** The number of the next record in the segment, and where it begins. */
  #next = 0
  #start = 0
  /** Records from the one number up to the other are in the piece: their members as an array, and the values of that. */
  #pieceStart = 0
  #pieceEnd = 0
  #text = NO_BYTES as Memory
  #textEnds: Uint32Array = NO_ENDS
  #values: readonly unknown[] | undefined

  constructor(format: JsonFormat & { readonly columns: readonly string[] }) {
    const { encoding, columns } = format
    this.#format = format
    this.#decode = decoderOf(encoding)
    const isComparable = (name: string): boolean => isComparableIn(encoding, name)
    this.#build = objectBuilder([])
    if (!columns.every(isComparable)) return
    const bytes = (text: string): Buffer => Buffer.from(text, encoding === 'latin1' ? 'latin1' : 'utf8')
    const written = columns.filter((name) => JSON.stringify(name) === `"${name}"` && isWritten(encoding, name))
    this.#names = written.map((name) => `"${name}":`)
    this.#nameBytes = this.#names.map(bytes)
    this.#build = objectBuilder(written)
    for (const [column, name] of written.entries()) this.#columns.set(bytes(name).toString('latin1'), column)
  }

  feed(segment: RecordSegment): void {
    this.#segment = segment
    this.#memory = memoryOf(segment.memory)
    this.#ends = new Uint32Array(segment.ends, segment.endsAt, segment.count)
    this.#next = this.#pieceEnd = 0
    this.#start = segment.start
  }

  next(): unknown {
    const next = this.#next
    const start = this.#start
    const end = this.#ends[next]
    if (end === undefined) return undefined
    if (next >= this.#pieceEnd) this.#beginPiece(next, start)
    this.#next = next + 1
    this.#start = end
    if (next < this.#pieceEnd) {
      const value = this.#values?.[next - this.#pieceStart]
      if (Array.isArray(value)) return this.#build(value)
      // Not the number that stands for a record in doubt.
      if (typeof value === 'object') return value
    }
    try {
      return this.#readOne(next, start, end - 1)
    } catch (error) {
      throw placedFault(error, this.#segment, next)
    }
  }

  skip(): boolean {
    const end = this.#ends[this.#next]
    if (end === undefined) return false
    this.#next++
    this.#start = end
    return true
  }

  clear(): void {
    this.#segment = undefined
    this.#memory = this.#text = NO_BYTES as Memory
    this.#ends = this.#textEnds = NO_ENDS
    this.#next = this.#pieceStart = this.#pieceEnd = 0
    this.#values = undefined
    this.#finder?.release()
    this.#finder = undefined
    this.#hasFinder = true
  }

  /** The piece that begins with a record: as many whole records as fit. None if the first one does not, or without kernel. */
  #beginPiece(first: number, start: number): void {
    const segment = this.#segment
    const finder = this.#finderOf()
    if (segment === undefined || finder === undefined) return
    const ends = this.#ends
    const count = recordsAtOnce(start, ends, first, PIECE_SIZE) || recordsAtOnce(start, ends, first, MAX_BYTES)
    if (count === 0) return
    this.#pieceStart = first
    this.#pieceEnd = first + count
    const found = finder.find(segment.memory, start, ends, first, first + count)
    this.#text = found.text as Memory
    this.#textEnds = found.ends
    try {
      this.#values = JSON.parse(this.#textOf(0, found.text.length)) as unknown[]
    } catch {
      // A value is no JSON: its record tells.
      this.#values = undefined
    }
  }

  #finderOf(): MembersFinder | undefined {
    if (this.#finder === undefined && this.#hasFinder) {
      this.#finder = this.#names && MembersFinder.open(this.#nameBytes)
      this.#hasFinder = this.#finder !== undefined
    }
    return this.#finder
  }

  /** A part of the text of the piece. */
  #textOf(start: number, end: number): string {
    return this.#decoded(this.#text, start, end)
  }

  #decoded(bytes: Memory, start: number, end: number): string {
    if (this.#format.encoding === 'latin1' || isAscii(bytes.subarray(start, end))) return bytes.latin1Slice(start, end)
    if (this.#decode === undefined) return bytes.utf8Slice(start, end)
    // A copy, as not every decoder takes shared memory.
    return this.#decode(Uint8Array.prototype.slice.call(bytes, start, end))
  }

  /** @param end Where the text of the record ends in the memory. */
  #readOne(record: number, start: number, end: number): unknown {
    const text = record < this.#pieceEnd ? this.#foundText(record - this.#pieceStart) : this.#membersText(start, end)
    if (text !== undefined) {
      try {
        const found: unknown = JSON.parse(text)
        return Array.isArray(found) ? this.#build(found) : found
      } catch {
        // The whole text has the same fault, in the words of the parser.
      }
    }
    return jsonValue(this.#decoded(this.#memory, start, end), this.#format)
  }

  /** The members of a record of the piece, as JSON; undefined if it is in doubt. */
  #foundText(index: number): string | undefined {
    const end = this.#textEnds[index] ?? 0
    if (end >= IN_DOUBT) return undefined
    // A bracket or comma stands before it.
    const start = index === 0 ? 0 : (this.#textEnds[index - 1] ?? 0) % IN_DOUBT
    return this.#textOf(start + 1, end)
  }

  /** The same of a record that is in no piece. */
  #membersText(start: number, end: number): string | undefined {
    const names = this.#names
    const found = names && findMembers(this.#memory, start, end, this.#columns)
    if (found === undefined) return undefined
    const members = names?.flatMap((name, column) => {
      const [from = -1, to = -1] = found.subarray(2 * column)
      return from < 0 ? [] : name + this.#decoded(this.#memory, from, to)
    })
    return `{${members?.join() ?? ''}}`
  }
}

type BuildObject = (values: readonly unknown[]) => unknown

/** A function that makes objects of their values. Its code is made of the names alone, each written as a JSON string. */
function objectBuilder(names: readonly string[]): BuildObject {
  // A computed name, since `__proto__: value` sets the prototype.
  const members = names.map((name, at) => `[${JSON.stringify(name)}]: values[${at}]`)
  const code = (): BuildObject => compile(`return (values) => ({ ${members.join(', ')} })`)() as BuildObject
  return attempt(code) ?? ((values) => Object.fromEntries(names.map((name, at) => [name, values[at]])))
}

/** Whether bytes tell if they are this name. */
function isComparableIn(encoding: string, name: string): boolean {
  return (encoding === 'utf8' && !name.includes(REPLACEMENT)) || encoding === 'latin1' || isAscii(Buffer.from(name))
}

/** Whether bytes can be this name. */
function isWritten(encoding: string, name: string): boolean {
  return encoding !== 'latin1' || Buffer.from(name, 'latin1').toString('latin1') === name
}
