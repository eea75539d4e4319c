/** Finding the first line that cannot be given, block by block and without splitting. Pure: it reads nothing. */
import { isUtf8 } from 'node:buffer'
import type { Encoding } from '../codec/split.js'
import { LineError } from '../errors.js'

const NEWLINE = 10
const CARRIAGE_RETURN = 13

export interface LineLimits {
  readonly encoding: Encoding
  readonly maxLength: number
  readonly fatal: boolean
}

export interface BadLine {
  /** Where in the block the line begins: all before it are good. */
  readonly start: number
  /** Its error, once it is known how many lines of the source come before it. */
  error(linesBefore: number): LineError
}

/** `offset` is where in the source the block of whole lines begins, in bytes. */
export function findBadLine(block: Buffer, offset: number, limits: LineLimits): BadLine | undefined {
  const { encoding, maxLength, fatal } = limits
  const long = longLine(block, maxLength)
  // Of a line that is too long nothing else is said: its end may be missing.
  const checked = block.subarray(0, long)
  if (fatal && encoding === 'utf8' && !isUtf8(checked)) return notUtf8(checked, offset)
  return long === undefined
    ? undefined
    : { start: long, error: (lines) => tooLong(lines + 1, offset + long, maxLength) }
}

/** Where the first line begins that is longer than `maxLength`, its end not counted. */
function longLine(block: Buffer, maxLength: number): number | undefined {
  let start = 0
  while (block.length - start > maxLength) {
    // No line is too long up to the last newline within reach, so there is no need to look at each.
    const newline = block.lastIndexOf(NEWLINE, start + maxLength)
    if (newline >= start) start = newline + 1
    else if (block[start + maxLength] === CARRIAGE_RETURN && block[start + maxLength + 1] === NEWLINE)
      start += maxLength + 2
    else return start
  }
  return undefined
}

function tooLong(line: number, offset: number, maxLength: number): LineError {
  return new LineError(
    `Cannot read line ${line} as it must not be longer than 'maxLength': ` +
      `received more than ${maxLength} bytes from byte ${offset} on`,
    'ERR_LINE_TOO_LONG',
    line,
    offset,
  )
}

function notUtf8(block: Buffer, offset: number): BadLine {
  const at = validLength(block)
  const byte = block.toString('hex', at, at + 1)
  return {
    start: at === 0 ? 0 : block.lastIndexOf(NEWLINE, at - 1) + 1,
    error: (lines) =>
      new LineError(
        `Cannot read line ${lines + 1} as it must be valid UTF-8: received byte 0x${byte} at byte ${offset + at}`,
        'ERR_INVALID_UTF8',
        lines + 1,
        offset + at,
      ),
  }
}

const REPLACEMENT = Buffer.from('\ufffd')

/** How many bytes come before the first invalid one. */
function validLength(bytes: Buffer): number {
  const text = bytes.toString()
  let length = 0
  let from = 0
  for (;;) {
    const at = text.indexOf('\ufffd', from)
    length += Buffer.byteLength(text.slice(from, at))
    // A replacement character that stands in the input is valid.
    if (!bytes.subarray(length, length + REPLACEMENT.length).equals(REPLACEMENT)) return length
    length += REPLACEMENT.length
    from = at + 1
  }
}
