/**
 * The wire format: how units and results travel between machines. This comment defines it, byte by byte.
 *
 * Numbers are little-endian. Other files write and read the parts: `value-*`, `column-*`, `lines`, `error-envelope`,
 * `body`, `unit`, `result`. A reader accepts any bytes, and gives a value or a `WireError`. What it allocates is at most
 * 100 times as long as what it has read.
 *
 * ```text
 * u8 u16 u32 f64   raw numbers
 * varint           integer from 0 to 2^53 - 1: 7 bits a byte, the lowest first; bit 7: more follow. No last byte of zero,
 *                  except for 0 itself
 * pad(n)           zero bytes up to a multiple of n, counted from the start of the message or body that it stands in
 * string           varint 4 × bytes + form, then the bytes. form 0: a byte for each UTF-16 unit, all below 256.
 *                  1: valid UTF-8. 2: UTF-16, for lone surrogates
 * bytes            varint length, then the bytes
 *
 * value = u8 tag, and then
 *   0  undefined        1  null        2  false        3  true
 *   4  integer          varint: 2n for n ≥ 0, -2n - 1 for n < 0; n has 32 bits, and is not -0
 *   5  number           f64
 *   6  string           string
 *   7  bigint           u8 0 or 1 (negative), bytes of the magnitude, the last one not zero
 *   8  reference        varint: the number of an object before it
 *   9  object           shape, then a value for each key
 *  10  no prototype         value: an object or array, with tag 9, 11 or 12, whose prototype is null
 *  11  array            varint length, then as many values; tag 16 stands for a hole
 *  12  sparse array     varint length below 2^32; varint n, then n × (varint index, value), indices ascending;
 *                       shape, then a value for each of its named properties, none of which is an index
 *  13  date             f64, in milliseconds; NaN: an invalid one
 *  14  expression       string source, u8 flags: d g i m s u v y, the lowest bit first
 *  15  map              u32 n, then n × (value key, value)
 *  16  hole             in an array alone
 *  17  set              u32 n, then n values
 *  18  buffer           varint length, pad(8), the bytes
 *  19  view             u8 place in VIEWS, value: its buffer, varint offset in bytes, varint length in elements
 *  20  box              value: a boolean, number, bigint or string
 *  21  error            u8 place in ERRORS, u8 parts: 1 message, 2 stack, 4 cause; these, as string, string, value
 * Of a map or set of more than 1,024, no more than 64 numbers and bigints collide: see `collisions.ts`. Expressions cost
 * no more than `expressions.ts` says. Values nest 1,000 levels, and a message has 4 million objects, at most.
 * Objects are numbered from 0 in the order of their tags, but a view after its buffer. A scope of values has numbers and
 * shapes of its own: a body, and each value in an envelope.
 *
 * shape = varint k: the shape number k - 1. Or 0: the next one, and varint n, then n different strings, its keys
 *
 * column(n) = u8 kind, and then the values of n rows; a column takes at least n bytes
 *   0  integers         pad(4), n × i32
 *   1  numbers          pad(8), n × f64
 *   2  dates            pad(8), n × f64
 *   3  text             pad(2), n × u16 length; varint m, then m strings: the segments. Each text is the next piece of a
 *                       segment, and none spans two. Length 65,535: the text before it, again
 *   4  records          varint k, k different strings, k × column(n); if k < 2, n zero bytes
 *   5  records without a prototype: the same
 *   6  tuples           varint k, k × column(n); if k < 2, n zero bytes
 *   7  lists of L       varint L, column(n × L); if L < 2, n zero bytes
 *   8  lists            pad(2), n × u16 length, column(the sum)
 *   9  plain            n values, in the scope of the body
 *  10  mixed            n × u8 tag, varint m, m columns, not mixed: the rows of each tag below m. Tags from 252 on:
 *                       undefined, null, false, true
 * Columns 4 to 8 stand in one another 9 levels deep at most.
 *
 * body(n) = u8 form: the values of n items or results
 *   0  n values         1  column(n)
 *   2  lines            varint f, f formats; varint s, s segments; pad(4), n × u32: where each line ends, counted from
 *                       the start of the text; text: the rest of the body
 *      format         = string encoding, u8 1 and bytes of the delimiter, or u8 0
 *      segment        = varint format, varint lines, varint length in bytes, u8 flags: 1 the last line has no delimiter,
 *                       2 file; string file; varint number of the first line in its input, varint its offset there
 *
 * envelope = content; varint n, n × error: a thrown value, and the errors that it leads to
 *   content          = u8 0, a value in a scope of its own; u8 1, varint number of an error; in a field also u8 2,
 *                      varint n, n × content, none of which is a list
 *   error            = varint n, n strings: names of classes, the last one of the language; u8 parts: 1 name, 2 message,
 *                      4 stack; these strings; fields, each as u8 1 (2: it is hidden), string key, content; u8 0
 *
 * packed body = u8 compression: 0 none, 1 deflate without a header, 2 none, but bodies of the answer may have 1; varint
 *               length of the body; pad(8); the bytes up to the end of the message
 *
 * unit   = u8 1 (the version), u8 1; 16 bytes token, varint run, varint unit; u8 kind: the place in KINDS; u8 flags: 1
 *          exported, 2 spread, 4 ordered, 8 stopOnError, 16 eager, 32 timeout, 64 initial, 128 traceparent; string task;
 *          varint concurrency; f64 timeout; varint first; varint count; varint n, n × (varint offset, envelope): items
 *          that have failed, offsets ascending; bytes of the body(1) of `initial`; string traceparent; packed body(count)
 * result = u8 1 (the version), u8 2; 16 bytes token, varint run, varint unit; varint part; varint from; varint count; u8
 *          flags: 1 last, 2 lost, 4 folded, 8 unread, 16 places, 32 counts, 64 fault; count × varint place; count ×
 *          varint results; varint n, n × (varint offset, envelope): offsets ascending; envelope of the fault; f64 time;
 *          varint worker; string host; packed body(results)
 * ```
 */
import { endianness } from 'node:os'

// Typed arrays and buffers travel as they stand in memory.
if (endianness() !== 'LE') throw new Error('Cannot use the wire format as this processor is not little-endian')

/** The version, in the first byte of each message. */
export const FORMAT = 1
/** In its second byte. */
export const UNIT = 1
export const RESULT = 2

export const TAG = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  integer: 4,
  number: 5,
  string: 6,
  bigint: 7,
  reference: 8,
  object: 9,
  bare: 10,
  array: 11,
  sparse: 12,
  date: 13,
  expression: 14,
  map: 15,
  hole: 16,
  set: 17,
  buffer: 18,
  view: 19,
  box: 20,
  error: 21,
} as const

export const TEXT = { latin1: 0, utf8: 1, utf16: 2 } as const

export const COLUMN = {
  integers: 0,
  numbers: 1,
  dates: 2,
  text: 3,
  records: 4,
  bare: 5,
  tuples: 6,
  equalLists: 7,
  lists: 8,
  plain: 9,
  mixed: 10,
} as const

export const BODY = { values: 0, column: 1, lines: 2 } as const

/** What follows in an error of an envelope. */
export const FIELD = { none: 0, shown: 1, hidden: 2 } as const

export const CONTENT = { value: 0, error: 1, list: 2 } as const

/** The parts of an error, as bits. */
export const HAS = { message: 1, stack: 2, cause: 4 } as const
export const HAS_OF_ENVELOPE = { name: 1, message: 2, stack: 4 } as const

/** The classes that structured clone keeps. */
export const ERRORS: readonly ErrorConstructor[] = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
]

/** The flags of expressions, and the properties that tell them. */
export const FLAGS: readonly (readonly [flag: string, property: string])[] = [
  ['d', 'hasIndices'],
  ['g', 'global'],
  ['i', 'ignoreCase'],
  ['m', 'multiline'],
  ['s', 'dotAll'],
  ['u', 'unicode'],
  ['v', 'unicodeSets'],
  ['y', 'sticky'],
]

export const MAX_OBJECTS = 4_000_000
/** Of a body, in bytes. */
export const MAX_BODY_LENGTH: number = 64 * 2 ** 20
/** Records and tuples with fewer columns, and lists of fewer elements, have a zero byte for each row. */
export const MIN_UNPADDED = 2
/** Arrays with more holes than elements, and more than this many, are sparse. */
export const MAX_HOLES = 32
