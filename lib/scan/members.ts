/**
 * Finds members of objects of JSON, without decoding the others. A function is the definition. The kernel of members.wat
 * finds the same, for many records at once. Both check all keys, and what stands between members. Values are only stepped
 * over: strings must be closed, and as many brackets, of both kinds alike, must be closed as are opened.
 *
 * If that is not so, a record is in doubt. So is one that is no object, or has a wanted key twice, or a key with an escape.
 * Then nothing is found, and all of it must be decoded.
 */
import { MEMBERS_KERNEL } from './members-kernel.js'
import { openModule, Slab } from './memory.js'

const QUOTE = 34
const COMMA = 44
const COLON = 58
const BACKSLASH = 92
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125
const SPACE = 32

/**
 * Finds the wanted members of the object that stands in bytes from `start` up to `end`.
 *
 * @param columns The columns by their names, as these are written in the bytes, read as latin1.
 * @returns Where each value begins and ends, by columns: `-1` for none. Undefined if the record is in doubt.
 */
export function findMembers(
  bytes: Buffer,
  start: number,
  end: number,
  columns: ReadonlyMap<string, number>,
): Int32Array | undefined {
  const found = new Int32Array(2 * columns.size).fill(-1)
  // A search in it ends with the record.
  const record = bytes.subarray(0, end)
  let sign = behindSpaces(record, start)
  if (record[sign] !== OPEN_BRACE) return undefined
  for (;;) {
    const key = behindSpaces(record, sign + 1)
    if (record[key] === CLOSE_BRACE && record[sign] === OPEN_BRACE) {
      sign = key
      break
    }
    const keyEnd = record[key] === QUOTE ? plainStringEnd(record, key) : -1
    if (keyEnd < 0) return undefined
    const colon = behindSpaces(record, keyEnd)
    if (record[colon] !== COLON) return undefined
    const from = behindSpaces(record, colon + 1)
    sign = valueEnd(record, from)
    if (sign < 0 || sign === from) return undefined
    const column = columns.get(record.toString('latin1', key + 1, keyEnd - 1))
    if (column !== undefined) {
      if (found[2 * column] !== -1) return undefined
      found[2 * column] = from
      found[2 * column + 1] = beforeSpaces(record, sign)
    }
    if (record[sign] === CLOSE_BRACE) break
    if (record[sign] !== COMMA) return undefined
  }
  return behindSpaces(record, sign + 1) === end ? found : undefined
}

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === 10 || byte === 13 || byte === 9
}

function behindSpaces(bytes: Uint8Array, at: number): number {
  while (isSpace(bytes[at])) at++
  return at
}

function beforeSpaces(bytes: Uint8Array, at: number): number {
  while (isSpace(bytes[at - 1])) at--
  return at
}

/** Where the string ends that begins at `at`; -1 if it has escapes or control characters, or no end. */
function plainStringEnd(bytes: Uint8Array, at: number): number {
  for (let next = at + 1; next < bytes.length; next++) {
    const byte = bytes[next] ?? 0
    if (byte === QUOTE) return next + 1
    if (byte === BACKSLASH || byte < SPACE) return -1
  }
  return -1
}

/** The position of the sign behind a value: of a comma, colon or bracket that is not in it. -1 if there is none. */
function valueEnd(bytes: Buffer, at: number): number {
  let depth = 0
  while (at < bytes.length) {
    const byte = bytes[at]
    if (byte === QUOTE) {
      at = stringEnd(bytes, at)
      if (at < 0) return -1
      continue
    }
    if (byte === BACKSLASH) return -1
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return at
      depth--
    } else if (depth === 0 && (byte === COMMA || byte === COLON)) return at
    at++
  }
  return -1
}

/** Where the string ends that begins at `at`; -1 if it has no end. Long ones are stepped over fast. */
function stringEnd(bytes: Buffer, at: number): number {
  for (let quote = bytes.indexOf(QUOTE, at + 1); quote >= 0; quote = bytes.indexOf(QUOTE, quote + 1)) {
    let before = quote
    while (bytes[before - 1] === BACKSLASH) before--
    if ((quote - before) % 2 === 0) return quote + 1
  }
  return -1
}

/** The most columns that the kernel takes. */
const MAX_COLUMNS = 64
/** The most bytes and records that it takes at once. */
export const MAX_BYTES: number = 16 * 1024
const MAX_RECORDS = 1024
/** Bytes that it reads behind the records, or writes behind what it returns. */
const SLACK = 64
const U32 = Uint32Array.BYTES_PER_ELEMENT

/** Where things are in a slab of 64 KiB. */
const LAYOUT_ENTRY = 48
const LAYOUT_ENTRIES = 65
const COLUMN_ENTRY = 16
const COLUMNS = LAYOUT_ENTRY * LAYOUT_ENTRIES
const ENDS = COLUMNS + COLUMN_ENTRY * MAX_COLUMNS
const OUT_ENDS = ENDS + U32 * MAX_RECORDS
const BYTES = OUT_ENDS + U32 * MAX_RECORDS
const OUT = BYTES + MAX_BYTES + SLACK
/** A record in doubt can be shorter, by a byte, than what stands for it. */
const NAMES = OUT + MAX_BYTES + MAX_RECORDS + SLACK
const SIZE = 64 * 1024

/** Set in the end of a record that is in doubt. */
export const IN_DOUBT = 0x8000_0000
const NO_KEY = -0x8000_0000

interface MembersKernel {
  readonly members: (
    start: number,
    ends: number,
    count: number,
    columns: number,
    size: number,
    layout: number,
    out: number,
    outEnds: number,
  ) => number
}

/** Of this thread: undefined before it is asked for. */
let kernel: MembersKernel | null | undefined

/** The wanted members of some records. */
export interface MembersFound {
  /**
   * An array of JSON. Of each record it has the values of all columns, as an array. Or else the members that it has, as an
   * object. Or a zero if it is in doubt.
   */
  readonly text: Buffer
  /** Where each of these ends in it. With `IN_DOUBT`, the record is in doubt. */
  readonly ends: Uint32Array
}

/** Finds the members of many records at once. It has memory, which is to be released. */
export class MembersFinder {
  readonly #kernel: MembersKernel
  readonly #slab: Slab
  readonly #size: number
  readonly #memory: Buffer

  private constructor(kernel: MembersKernel, slab: Slab, names: readonly Uint8Array[]) {
    this.#kernel = kernel
    this.#slab = slab
    this.#size = names.length
    this.#memory = Buffer.from(slab.buffer, slab.start, SIZE)
    const numbers = new Int32Array(slab.buffer, slab.start, BYTES / U32)
    for (let entry = 0; entry < LAYOUT_ENTRIES; entry++) numbers[(entry * LAYOUT_ENTRY + 32) / U32] = NO_KEY
    let at = NAMES
    for (const [column, name] of names.entries()) {
      this.#memory.set(name, at)
      numbers.set([slab.start + at, name.length], (COLUMNS + column * COLUMN_ENTRY) / U32)
      at += name.length
    }
  }

  /**
   * Undefined where there is no kernel, no name, or no room for the names.
   *
   * @param names Of the columns, as JSON without escapes, with a colon behind: `"id":`.
   */
  static open(names: readonly Uint8Array[]): MembersFinder | undefined {
    const length = names.reduce((sum, name) => sum + name.length, 0)
    if (names.length === 0 || names.length > MAX_COLUMNS || NAMES + length + SLACK > SIZE) return undefined
    kernel ??= openModule(MEMBERS_KERNEL) as MembersKernel | null
    const slab = kernel === null ? undefined : Slab.take(SIZE)
    if (kernel !== null && slab?.isScannable === true) return new MembersFinder(kernel, slab, names)
    slab?.release()
    return undefined
  }

  /**
   * Finds the members of the records from number `first` up to `last`, which stand in a memory from `start` on. What it
   * gives is there until the next call.
   *
   * @param ends Where the records end, behind the byte that ends each one. The last byte may not be there.
   * @throws RangeError if they have more than `MAX_BYTES`, or are too many: `recordsAtOnce()` says how many are taken.
   */
  find(memory: ArrayBufferLike, start: number, ends: Uint32Array, first: number, last: number): MembersFound {
    const { start: base } = this.#slab
    const count = last - first
    const size = (ends[last - 1] ?? start) - start
    // It would write over what it still has to read.
    if (size > MAX_BYTES || count > MAX_RECORDS)
      throw new RangeError(
        `at most ${MAX_BYTES} bytes and ${MAX_RECORDS} records are searched at once, not ${size} bytes and ${count} records`,
      )
    const records = Buffer.from(memory, start, size - 1)
    // Not `copy()`: where memory is shared that goes byte by byte, unless source and target happen to be aligned alike.
    if (records.length > 0) this.#memory.fill(records, BYTES, BYTES + records.length)
    const shift = base + BYTES - start
    const own = new Uint32Array(this.#slab.buffer, base + ENDS, count)
    for (let at = 0; at < count; at++) own[at] = (ends[first + at] ?? start) + shift
    const end = this.#kernel.members(
      base + BYTES,
      base + ENDS,
      count,
      base + COLUMNS,
      this.#size,
      base,
      base + OUT,
      base + OUT_ENDS,
    )
    const outEnds = new Uint32Array(this.#slab.buffer, base + OUT_ENDS, count)
    for (let at = 0; at < count; at++) outEnds[at] = (outEnds[at] ?? 0) - base - OUT
    return { text: this.#memory.subarray(OUT, end - base), ends: outEnds }
  }

  release(): void {
    this.#slab.release()
  }
}

/** How many records from number `first` on can be found at once: none if the first one is too long. */
export function recordsAtOnce(start: number, ends: Uint32Array, first: number, size: number): number {
  const most = Math.min(ends.length, first + MAX_RECORDS)
  let last = first
  while (last < most && (ends[last] ?? 0) - start <= size) last++
  return last - first
}
