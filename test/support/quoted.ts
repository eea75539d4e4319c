/**
 * Properties of the search for records with quotes: the automaton is the definition, and the kernel must find the same.
 * Tests check them for some cases, and `npm run stress -- csv` for a given time.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { BLOCK_SIZE, openKernel, Slab } from '#dist/scan/memory.js'
import {
  BARE,
  findQuoted,
  findQuotedSlowly,
  RECORD_START,
  RETURN_AT_START,
  type QuotedDialect,
  type QuotedFound,
} from '#dist/scan/quoted.js'

export const RFC: QuotedDialect = {
  delimiter: 44,
  quote: 34,
  escape: 34,
  comment: -1,
  newline: 10,
  trim: false,
  skipEmpty: true,
}

const text = Slab.take(BLOCK_SIZE)
const room = Slab.take(BLOCK_SIZE)

interface Result {
  readonly ends: number[]
  readonly isAscii: boolean
  readonly hasReturns: boolean
  readonly newlines: number
  readonly state: number
}

type Find = typeof findQuoted

/** What is found in bytes that are scanned piece by piece, with room for `most` ends a time. */
export function scan(
  find: Find,
  bytes: Buffer,
  dialect: QuotedDialect,
  cuts: readonly number[] = [],
  most = 1_000,
): Result {
  text.bytes().fill(34, 0, bytes.length + 200)
  text.bytes().set(bytes, 64)
  const ends: number[] = []
  let state = RECORD_START
  let isAscii = true
  let hasReturns = false
  let newlines = 0
  let from = 0
  for (const to of [...cuts, bytes.length]) {
    while (from < to) {
      const at = room.start + room.size - 4 * most
      const start = text.start + 64
      const found: QuotedFound = find(text, start + from, start + to, dialect, state, { slab: room, at })
      assert.ok(found.scanned > 0)
      for (const end of new Uint32Array(room.buffer, at, found.count)) ends.push(end - start)
      from += found.scanned
      state = found.state
      isAscii &&= found.isAscii
      hasReturns ||= found.hasReturns
      newlines += found.newlines
    }
  }
  return { ends, isAscii, hasReturns, newlines, state }
}

/** Any of these bytes. Runs of one make them longer than a step of the kernel. */
function bytesOf(...bytes: readonly number[]): fc.Arbitrary<Buffer> {
  const length = fc.oneof({ weight: 20, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 70 }))
  return fc
    .array(fc.tuple(fc.constantFrom(...bytes), length), { maxLength: 160 })
    .map((pieces) => Buffer.concat(pieces.map(([byte, length]) => Buffer.alloc(length, byte))))
}

/** Bytes that mean something, and others. Without quotes the kernel takes another way. */
const anyBytes = fc.oneof(
  { weight: 3, arbitrary: bytesOf(...Buffer.from('aa,,""""\n\n\r #\\\t;'), 0xc3, 0xa4) },
  bytesOf(...Buffer.from('aa,,\n\r')),
)

/** Fields as RFC 4180 has them, and the bytes of a file of them. */
const field = fc
  .array(fc.constantFrom('a', 'bc', ',', '"', '\n', '\r\n', 'ä', ' ', ''), { maxLength: 6 })
  .map((parts) => parts.join(''))
export const validRows = fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 12 })

export function written(rows: readonly (readonly string[])[], newline: string, quoteAll: boolean): string {
  const quoted = (value: string): string =>
    quoteAll || /[",\r\n]/.test(value) || value === '' ? `"${value.replaceAll('"', '""')}"` : value
  return rows.map((row) => row.map(quoted).join(',') + newline).join('')
}

/** By what they say of records. */
export const PROPERTIES = {
  'are found by the kernel as by the automaton, in any bytes': fc.property(
    anyBytes,
    fc.boolean(),
    fc.integer({ min: 64, max: 300 }),
    (bytes, skipEmpty, most) => {
      const dialect = { ...RFC, skipEmpty }
      const expected = scan(findQuotedSlowly, bytes, dialect)
      const found = scan(findQuoted, bytes, dialect, [], most)
      // Where empty lines are kept, a carriage return that began a record is text like any other.
      const known = ({ state }: Result): number => (!skipEmpty && state === RETURN_AT_START ? BARE : state)
      assert.deepEqual({ ...found, state: known(found) }, { ...expected, state: known(expected) })
    },
  ),
  'are found in any pieces as in one': fc.property(anyBytes, fc.array(fc.nat(200), { maxLength: 6 }), (bytes, cuts) => {
    const at = cuts.map((cut) => Math.min(cut, bytes.length)).sort((one, other) => one - other)
    for (const find of [findQuoted, findQuotedSlowly]) {
      assert.deepEqual(scan(find, bytes, RFC, at).ends, scan(findQuotedSlowly, bytes, RFC).ends)
    }
  }),
  'are the records of valid files, which never need the automaton': fc.property(
    validRows,
    fc.constantFrom('\n', '\r\n'),
    fc.boolean(),
    (rows, newline, quoteAll) => {
      const lines = rows.map((row) => written([row], newline, quoteAll))
      const bytes = Buffer.from(lines.join(''))
      let end = 0
      const ends = lines.map((line) => (end += Buffer.byteLength(line)))
      assert.deepEqual(scan(findQuoted, bytes, RFC).ends, ends)
      text.bytes().set(bytes)
      const kernel = openKernel()
      kernel?.quoted(text.start, text.start + bytes.length, 34, 44, 0, 0, room.start, room.start + room.size, 0)
      assert.equal((kernel?.result[1] ?? 0) & 4, 0)
    },
  ),
}
