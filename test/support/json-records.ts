/**
 * Properties of `columns` for records of JSON: where nothing is wrong with a record, the same comes as from `JSON.parse()` and
 * picking. Tests check them for some cases, and `npm run stress -- json` for a given time.
 */
import assert from 'node:assert/strict'
import { isAscii } from 'node:buffer'
import fc from 'fast-check'
import type { JsonFormat, RecordSegment } from '#dist/codec/records/format.js'
import { allRecords, BadRecord } from '#dist/codec/records/record-data.js'
import { findMembers, IN_DOUBT, MAX_BYTES, MembersFinder, recordsAtOnce } from '#dist/scan/members.js'

/** What is read of a record: a value, or nothing. */
export type Read = { readonly value: unknown } | 'an error'

/** Bytes of records in memory, and where they end, with other bytes around them. */
function segmentOf(records: readonly Buffer[], format: JsonFormat, isOpen: boolean): RecordSegment {
  const before = Buffer.from('"{\\')
  const memory = new SharedArrayBuffer(records.reduce((sum, { length }) => sum + length + 1, before.length) + 50)
  const bytes = Buffer.from(memory)
  // What would end a record, or continue it.
  bytes.fill('"}', 0)
  bytes.set(before)
  let at = before.length
  const ends = records.map((record) => {
    bytes.set(record, at)
    at += record.length + 1
    bytes[at - 1] = 10
    return at
  })
  if (isOpen) bytes[at - 1] = 34
  const numbers = new Uint32Array(new SharedArrayBuffer(4 * ends.length))
  numbers.set(ends)
  return {
    format,
    memory,
    start: before.length,
    ends: numbers.buffer,
    endsAt: 0,
    count: records.length,
    isAscii: records.every(isAscii),
    hasReturns: false,
    isOpen,
    file: undefined,
    record: 1,
    offset: 0,
    line: undefined,
    lineAt: 0,
  }
}

/** The records as a decoder reads them. */
export function decoded(
  records: readonly Buffer[],
  columns: readonly string[],
  encoding = 'utf8',
  isOpen = false,
): Read[] {
  const segment = segmentOf(records, { kind: 'json', encoding, columns }, isOpen)
  return allRecords({ kind: 'bytes', count: records.length, segments: [segment] }).map((value) =>
    value instanceof BadRecord ? 'an error' : { value },
  )
}

/** What is wanted of a text: an object with these keys, in this order. */
export function picked(text: string, columns: readonly string[]): Read {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'an error'
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'an error'
  const object = value as Record<string, unknown>
  const keys = columns.filter((key) => Object.hasOwn(object, key))
  return { value: Object.fromEntries(keys.map((key) => [key, object[key]])) }
}

/** Where the value ends that begins at `at`: before a comma, colon or bracket that is not in it. */
function endOfValue(text: string, at: number): number {
  let depth = 0
  for (; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '"')
      for (at++; at < text.length && text.charAt(at) !== '"'; at++) if (text.charAt(at) === '\\') at++
    if ('{['.includes(character)) depth++
    if ('}]'.includes(character) && depth-- === 0) return at
    if (',:'.includes(character) && depth === 0) return at
  }
  return at
}

/**
 * A text with a null in place of each value that is not wanted. Undefined if a key is no string of JSON, or such a value
 * is empty.
 */
export function withoutUnwanted(text: string, columns: readonly string[]): string | undefined {
  const member = /[ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*:/sy
  let at = text.indexOf('{') + 1
  let copy = text.slice(0, at)
  for (;;) {
    member.lastIndex = at
    const found = member.exec(text)
    if (found === null) return copy + text.slice(at)
    const from = member.lastIndex
    const end = endOfValue(text, from)
    let key: unknown
    try {
      key = JSON.parse(found[1] ?? '')
    } catch {
      return undefined
    }
    const isWanted = columns.includes(key as string)
    if (!isWanted && text.slice(from, end).trim() === '') return undefined
    copy += `${text.slice(at, from)}${isWanted ? text.slice(from, end) : 'null'}`
    at = end
    if (text.charAt(at) !== ',') return copy + text.slice(at)
    copy += ','
    at++
  }
}

/**
 * Checks what was read of any bytes. It is what `JSON.parse()` and picking give. Only where that throws, it may be an
 * object. Then the text must be JSON with other values in place of those that are not wanted, and the object what is picked
 * of it.
 */
export function assertRight(record: Buffer, columns: readonly string[], read: Read | undefined): void {
  const text = record.toString()
  const expected = picked(text, columns)
  if (expected === 'an error' && read !== expected) {
    const whole = withoutUnwanted(text, columns)
    assert.notEqual(whole, undefined, `a record that is broken elsewhere was read: ${text}`)
    assert.deepEqual(read, picked(whole ?? '', columns))
  } else assertSame(read, expected)
}

/** With the order of keys. */
function assertSame(read: Read | undefined, expected: Read): void {
  assert.deepEqual(read, expected)
  assert.equal(JSON.stringify(read), JSON.stringify(expected))
}

/** Keys around all bounds: of short keys, of those that are remembered, and of names. */
const KEYS = [
  ...['a', 'b', 'id', 'type', '', ' ', '0', '17', '__proto__', 'constructor', 'toString', 'ä', '日本', '😀'],
  ...['a"b', 'a\\', '\n', '\ud800', '\ufffd', '{', '[a]:', ',', 'x'.repeat(29), 'x'.repeat(30), 'x'.repeat(31)],
  ...['y'.repeat(40), `${'y'.repeat(40)}z`, 'z'.repeat(70)],
]
export const keyOf = fc.oneof({ weight: 2, arbitrary: fc.constantFrom('a', 'b', 'id') }, fc.constantFrom(...KEYS))
export const columnsOf = fc.uniqueArray(keyOf, { minLength: 1, maxLength: 6 })

const space = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  fc.constantFrom(' ', '\t', '\r', '\n', '  ', ' '.repeat(30), '\n'.repeat(70)),
)
/** A string as JSON; sometimes with an escape for each of its units. */
const written = (text: string, isEscaped: boolean): string =>
  isEscaped
    ? `"${Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
    : JSON.stringify(text)
const rarely = fc.integer({ min: 0, max: 20 }).map((n) => n === 0)
const keyText = fc.tuple(keyOf, rarely).map(([key, isEscaped]) => written(key, isEscaped))
const stringText = fc
  .tuple(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom(
        '}',
        ']',
        '"',
        '\\',
        '\\"',
        '\\\\',
        '{[,:',
        'x'.repeat(63),
        `${'x'.repeat(61)}\\`,
        '\\'.repeat(65),
      ),
      fc.array(fc.constantFrom('\\', '"', 'x', 'ü'), { maxLength: 140 }).map((all) => all.join('')),
    ),
    rarely,
  )
  .map(([text, isEscaped]) => written(text, isEscaped))
const scalarText = fc.oneof(
  stringText,
  fc.constantFrom('null', 'true', 'false', '0', '-0', '1e999', '-1.5E-3', '12345678901234567890', '1'.repeat(300)),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
)
const spaced = (open: string, parts: readonly (readonly [string, string, string])[], close: string): string =>
  `${open}${parts.map(([before, text, after]) => `${before}${text}${after}`).join(',')}${close}`

const { value: valueText, object: objectText } = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
  value: fc.oneof({ depthSize: 'small', maxDepth: 4 }, scalarText, tie('object'), tie('array')),
  array: fc.array(fc.tuple(space, tie('value'), space), { maxLength: 4 }).map((parts) => spaced('[', parts, ']')),
  object: fc
    .tuple(fc.array(fc.tuple(space, fc.tuple(keyText, space, space, tie('value')), space), { maxLength: 7 }), space)
    .map(([members, empty]) =>
      members.length === 0
        ? `{${empty}}`
        : spaced(
            '{',
            members.map(
              ([before, [key, one, other, value], after]) => [before, `${key}${one}:${other}${value}`, after] as const,
            ),
            '}',
          ),
    ),
}))
/** Mostly objects. */
export const recordText = fc
  .tuple(space, fc.oneof({ weight: 20, arbitrary: objectText }, valueText), space)
  .map(([before, text, after]) => before + text + after)
/** Records that are all alike, as most are, and others between them. */
const recordTexts = fc.oneof(
  fc.array(recordText, { minLength: 1, maxLength: 8 }),
  fc
    .tuple(recordText, recordText, fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }))
    .map(([one, other, which]) => which.map((isOne) => (isOne ? one : other))),
)

const change = fc.record({
  at: fc.nat(),
  length: fc.nat(3),
  text: fc.oneof(
    fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', ' ', '0', '\f', '\x1a', '\n', '', '"a":', ',"a":1', '"a"'),
    fc.string({ unit: 'binary', maxLength: 3 }),
  ),
  byte: fc.integer({ min: 0, max: 255 }),
  isByte: rarely,
})
/** A record with some bytes replaced, put in or taken out. */
export const brokenRecord = fc
  .tuple(recordText, fc.array(change, { minLength: 1, maxLength: 3 }))
  .map(([text, changes]) => {
    let bytes = Buffer.from(text)
    for (const { at, length, text, byte, isByte } of changes) {
      const from = at % (bytes.length + 1)
      const put = isByte ? Buffer.of(byte) : Buffer.from(text)
      bytes = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + length)])
    }
    return bytes
  })
const rawRecord = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '"',
        '"',
        '\\',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        ' ',
        '1',
        '"a":1',
        '"b":"x"',
        '{"a":',
        'x'.repeat(60),
      ),
      fc.uint8Array({ maxLength: 3 }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))))

/** The members that are found by definition and by the kernel: as texts, by column. */
function foundSlowly(record: Buffer, names: readonly string[]): (string | undefined)[] | undefined {
  const columns = new Map(names.map((name, at) => [Buffer.from(name).toString('latin1'), at]))
  const around = Buffer.concat([Buffer.from('{"'), record, Buffer.from('"}')])
  const found = findMembers(around, 2, 2 + record.length, columns)
  return (
    found &&
    names.map((_, at) => {
      const [from = -1, to = -1] = found.subarray(2 * at)
      return from < 0 ? undefined : around.toString('latin1', from, to)
    })
  )
}

/** What the kernel has to write for the members of records. */
function expectedText(records: readonly Buffer[], names: readonly string[]): { text: string; ends: number[] } {
  let text = '['
  const ends = records.map((record, index) => {
    const found = foundSlowly(record, names)
    const members = found?.flatMap((value, at) =>
      value === undefined ? [] : `"${Buffer.from(names[at] ?? '').toString('latin1')}":${value}`,
    )
    if (index > 0) text += ','
    if (members === undefined) text += '0'
    else text += members.length === names.length ? `[${found?.join() ?? ''}]` : `{${members.join()}}`
    return text.length + (members === undefined ? IN_DOUBT : 0)
  })
  return { text: `${text}]`, ends }
}

/** Names that can be in a text without escapes. */
const plainNames = fc.uniqueArray(
  keyOf.filter((key) => JSON.stringify(key) === `"${key}"`),
  { minLength: 1, maxLength: 6 },
)

export const PROPERTIES = {
  'are the same as those of JSON.parse(), picked': fc.property(
    recordTexts,
    columnsOf,
    fc.boolean(),
    (texts, columns, isOpen) => {
      const read = decoded(
        texts.map((text) => Buffer.from(text)),
        columns,
        'utf8',
        isOpen,
      )
      for (const [at, text] of texts.entries()) assertSame(read[at], picked(Buffer.from(text).toString(), columns))
    },
  ),
  'of broken records are errors, unless the damage is in a value that is not wanted': fc.property(
    fc.array(fc.oneof(brokenRecord, rawRecord), { minLength: 1, maxLength: 5 }),
    columnsOf,
    (records, columns) => {
      const read = decoded(records, columns)
      for (const [at, record] of records.entries()) assertRight(record, columns, read[at])
    },
  ),
  'are found by the kernel as by definition, in any bytes': fc.property(
    fc.array(
      fc.oneof(
        brokenRecord,
        rawRecord,
        recordText.map((text) => Buffer.from(text)),
      ),
      { minLength: 1, maxLength: 9 },
    ),
    plainNames,
    (records, names) => {
      const finder = MembersFinder.open(names.map((name) => Buffer.from(`"${name}":`)))
      assert.ok(finder)
      try {
        const segment = segmentOf(records, { kind: 'json', encoding: 'utf8' }, false)
        const ends = new Uint32Array(segment.ends)
        for (let first = 0, start = segment.start; first < records.length;) {
          // One record alone may be too long: none is taken then.
          const count = recordsAtOnce(start, ends, first, MAX_BYTES)
          const last = first + Math.max(count, 1)
          if (count > 0) {
            const found = finder.find(segment.memory, start, ends, first, last)
            const expected = expectedText(records.slice(first, last), names)
            assert.equal(found.text.toString('latin1'), expected.text)
            assert.deepEqual([...found.ends], expected.ends)
          }
          start = ends[last - 1] ?? start
          first = last
        }
      } finally {
        finder.release()
      }
    },
  ),
}
