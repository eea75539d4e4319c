/**
 * Finds where records with quotes end, such as those of CSV. The kernel does it, and checks that what it finds is right.
 * Where it is not, an automaton does it. The automaton is the definition; the kernel is the same, only faster.
 */
import { isAscii } from 'node:buffer'
import { openKernel, RESULT, type Slab } from './memory.js'
import { roomFor, type EndsRoom, type Found } from './scan.js'

/** How records are written. Characters are bytes of ASCII. */
export interface QuotedDialect {
  readonly delimiter: number
  /** -1: there are no quotes. */
  readonly quote: number
  /** What stands before a quote within quotes: the quote itself, or another character. */
  readonly escape: number
  /** What begins a line that is left out; -1: nothing. */
  readonly comment: number
  /** What ends a record, if no quotes are open: `\n`, where a `\r` before it belongs to the end, or `\r`. */
  readonly newline: number
  /** Whether spaces and tabs around fields are left out. */
  readonly trim: boolean
  /** Whether empty lines are left out. */
  readonly skipEmpty: boolean
}

/** Where the automaton is: at the start of a record, … */
export const RECORD_START = 0
/** … at the start of a field, in a field without quotes (or behind one with quotes), … */
const FIELD_START = 1
export const BARE = 2
/** … in a field with quotes, behind a quote that has closed the field unless another one follows, … */
const QUOTED = 3
const CLOSED = 4
/** … behind a `\r` that began a record, behind spaces that did, in a comment, behind an escape character. */
export const RETURN_AT_START = 5
const SPACE_AT_START = 6
const COMMENT = 7
const ESCAPED = 8

export type QuotedState = number

export interface QuotedFound extends Found {
  /** How many newlines were scanned, those in quotes, too. */
  readonly newlines: number
  /** Where the automaton is behind the last byte that was scanned. */
  readonly state: QuotedState
}

const NEWLINE = 10
const CARRIAGE_RETURN = 13
const SPACE = 32
const TAB = 9

const SKIP_EMPTY = 0
const FIELDS = 1
const KEEP_EMPTY = 2
const U32 = Uint32Array.BYTES_PER_ELEMENT
/** Bytes that the kernel reads at once. */
export const STEP_SIZE = 64

const NOT_ASCII = 1
const HAS_RETURNS = 2
const FAILED = 4
const HAS_QUOTES = 8

/**
 * Finds the ends of records from position `from` up to `to` in the memory of the slab, and writes the position behind
 * each one. `state` is where the automaton is before the first byte.
 */
export function findQuoted(
  bytes: Slab,
  from: number,
  to: number,
  dialect: QuotedDialect,
  state: QuotedState,
  room: EndsRoom,
): QuotedFound {
  const { quote, delimiter, skipEmpty } = dialect
  const kernel = bytes.isScannable && room.slab.isScannable && isPlain(dialect) ? openKernel() : null
  if (kernel === null || state > RETURN_AT_START || hasComment(bytes, from, to, dialect)) {
    return findQuotedSlowly(bytes, from, to, dialect, state, room)
  }
  const mode = skipEmpty ? SKIP_EMPTY : KEEP_EMPTY
  const end = room.slab.start + room.slab.size
  const scanned = kernel.quoted(from, to, quote, delimiter, mode, state, room.at, end, RESULT)
  const [count = 0, flags = 0, newlines = 0, next = 0] = kernel.result
  if ((flags & FAILED) !== 0) return findQuotedSlowly(bytes, from, to, dialect, state, room)
  return {
    scanned,
    count,
    isAscii: (flags & NOT_ASCII) === 0,
    hasReturns: (flags & HAS_RETURNS) !== 0,
    newlines,
    state: next,
  }
}

/** Whether the kernel knows how the records are written. */
function isPlain({ quote, escape, newline, trim }: QuotedDialect): boolean {
  return (quote < 0 || escape === quote) && newline === NEWLINE && !trim
}

function hasComment({ buffer }: Slab, from: number, to: number, { comment }: QuotedDialect): boolean {
  return comment >= 0 && Buffer.from(buffer, from, to - from).includes(comment)
}

/** The definition: one byte after the other. */
export function findQuotedSlowly(
  bytes: Slab,
  from: number,
  to: number,
  dialect: QuotedDialect,
  state: QuotedState,
  room: EndsRoom,
): QuotedFound {
  const block = Buffer.from(bytes.buffer, from, to - from)
  const ends = new Uint32Array(room.slab.buffer, room.at, roomFor(room))
  const { newline, skipEmpty } = dialect
  let count = 0
  let newlines = 0
  let at = 0
  for (; at < block.length && count < ends.length; at++) {
    const byte = block[at] ?? 0
    if (byte === newline) newlines++
    const isEnd = byte === newline && state !== QUOTED && state !== ESCAPED
    if (isEnd) {
      const isEmpty = state === RECORD_START || state === RETURN_AT_START || state === SPACE_AT_START
      if (state !== COMMENT && !(isEmpty && skipEmpty)) ends[count++] = from + at + 1
      state = RECORD_START
    } else state = next(state, byte, dialect)
  }
  const seen = block.subarray(0, at)
  return {
    scanned: at,
    count,
    isAscii: isAscii(seen),
    hasReturns: seen.includes(CARRIAGE_RETURN),
    newlines,
    state,
  }
}

/** The next state, behind a byte that does not end a record. */
function next(
  state: QuotedState,
  byte: number,
  { delimiter, quote, escape, comment, trim }: QuotedDialect,
): QuotedState {
  switch (state) {
    case RECORD_START:
      if (byte === comment) return COMMENT
      if (byte === CARRIAGE_RETURN) return RETURN_AT_START
      if (trim && (byte === SPACE || byte === TAB) && byte !== delimiter) return SPACE_AT_START
      return begin(byte, delimiter, quote)
    case SPACE_AT_START:
      if ((byte === SPACE || byte === TAB) && byte !== delimiter) return state
      if (byte === CARRIAGE_RETURN) return RETURN_AT_START
      return begin(byte, delimiter, quote)
    case FIELD_START:
      if (trim && (byte === SPACE || byte === TAB) && byte !== delimiter) return state
      return begin(byte, delimiter, quote)
    case QUOTED:
      if (byte === escape && escape !== quote) return ESCAPED
      return byte === quote ? CLOSED : QUOTED
    case ESCAPED:
      return QUOTED
    case CLOSED:
      if (byte === quote && escape === quote) return QUOTED
      if (trim && (byte === SPACE || byte === TAB) && byte !== delimiter) return state
      return byte === delimiter ? FIELD_START : BARE
    case COMMENT:
      return COMMENT
    default:
      // In a field without quotes, or behind a `\r` that turns out to be text.
      return byte === delimiter ? FIELD_START : BARE
  }
}

function begin(byte: number, delimiter: number, quote: number): QuotedState {
  if (byte === quote) return QUOTED
  return byte === delimiter ? FIELD_START : BARE
}

export function isInQuotes(state: QuotedState): boolean {
  return state === QUOTED || state === ESCAPED
}

/** Whether bytes without an end, behind which the automaton is in a state, are a record. */
export function isRecord(state: QuotedState, length: number, { skipEmpty }: QuotedDialect): boolean {
  if (length === 0 || state === RECORD_START || state === COMMENT) return false
  return !skipEmpty || (state !== RETURN_AT_START && state !== SPACE_AT_START)
}

/** Where the last quotes open in bytes that begin with a record, and end in quotes. */
export function lastOpening(bytes: Uint8Array, dialect: QuotedDialect): number {
  let state = RECORD_START
  let opening = 0
  for (const [at, byte] of bytes.entries()) {
    const before = state
    state = byte === dialect.newline && !isInQuotes(state) ? RECORD_START : next(state, byte, dialect)
    if (state === QUOTED && !isInQuotes(before) && before !== CLOSED) opening = at
  }
  return opening
}

/** Where fields were found to end. */
export interface FieldsFound {
  readonly count: number
  readonly isAscii: boolean
  readonly hasReturns: boolean
  readonly hasQuotes: boolean
}

/** Set in the number of a field that has a quote which is written as two. */
export const POSITION = 0x7fff_ffff

/**
 * Finds where the fields of whole records end, and writes their positions, relative to `from`. A field that has a quote
 * which is written as two has the highest bit set. There must be room for one number per byte.
 *
 * @returns Undefined if there are quotes in wrong places, or no kernel: then records are to be read one by one.
 */
export function findFields(
  bytes: Slab,
  from: number,
  to: number,
  dialect: QuotedDialect,
  room: EndsRoom,
): FieldsFound | undefined {
  const kernel = bytes.isScannable && room.slab.isScannable && isPlain(dialect) ? openKernel() : null
  if (kernel === null) return undefined
  const end = room.slab.start + room.slab.size
  kernel.quoted(from, to, dialect.quote, dialect.delimiter, FIELDS, RECORD_START, room.at, end, RESULT)
  const [count = 0, flags = 0] = kernel.result
  if ((flags & FAILED) !== 0) return undefined
  return {
    count,
    isAscii: (flags & NOT_ASCII) === 0,
    hasReturns: (flags & HAS_RETURNS) !== 0,
    hasQuotes: (flags & HAS_QUOTES) !== 0,
  }
}

/**
 * Turns the positions of fields in valid UTF-8, as `findFields()` writes them, into positions in the text as a string.
 * They are written behind the others.
 *
 * @returns Where in the memory they are; undefined where there is not room enough, or no kernel.
 */
export function textPositions(
  bytes: Slab,
  from: number,
  to: number,
  count: number,
  { slab, at }: EndsRoom,
): number | undefined {
  const kernel = bytes.isScannable && slab.isScannable ? openKernel() : null
  const out = at + count * U32
  // The kernel reads whole steps.
  const isWithin = out + count * U32 <= slab.start + slab.size && to + STEP_SIZE <= bytes.start + bytes.size
  if (kernel === null || !isWithin) return undefined
  kernel.units(from, at, count, out)
  return out
}
