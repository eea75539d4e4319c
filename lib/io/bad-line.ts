/** Finding the first line that cannot be given, block by block and without splitting. Pure: it reads nothing. */
import { isUtf8 } from 'node:buffer'
import { CARRIAGE_RETURN, type LineEnd } from '../codec/line-end.js'
import { LineError } from '../errors.js'
import { decodes } from './encoding.js'

export interface LineLimits {
  /** Of the blocks. */
  readonly encoding: string
  readonly lineEnd: LineEnd
  readonly maxLength: number
  readonly fatal: boolean
}

export interface BadLine {
  readonly kind: 'long' | 'invalid'
  /** Where in the block the line begins: all before it are good. */
  readonly start: number
  /** Where what is wrong with it begins. */
  readonly at: number
  /** What is there. */
  readonly found: string
}

export function findBadLine(block: Buffer, limits: LineLimits): BadLine | undefined {
  const { encoding, lineEnd, maxLength, fatal } = limits
  const long = lineEnd.findLong(block, maxLength)
  // Of a line that is too long nothing else is said: its end may be missing.
  const checked = block.subarray(0, long)
  if (fatal && !isValid(checked, encoding)) return invalidLine(checked, limits)
  if (long === undefined) return undefined
  const found = lineEnd.delimiter === undefined && block.includes(CARRIAGE_RETURN, long) ? HINT : ''
  return { kind: 'long', start: long, at: long, found }
}

const HINT = String.raw` (it has '\r': for lines that end with it, set delimiter: '\r')`

/** `offset` is where in the input the fault is; `encoding` is that of the input. */
export function lineError(
  bad: Pick<BadLine, 'kind' | 'found'>,
  line: number,
  offset: number,
  of: Pick<LineLimits, 'encoding' | 'maxLength'>,
): LineError {
  if (bad.kind === 'long') {
    return new LineError(
      `Cannot read line ${line} as it must not be longer than 'maxLength': ` +
        `received more than ${of.maxLength} bytes from byte ${offset} on${bad.found}`,
      'ERR_LINE_TOO_LONG',
      line,
      offset,
    )
  }
  return new LineError(
    `Cannot read line ${line} as it must be valid ${of.encoding === 'utf8' ? 'UTF-8' : of.encoding}: ` +
      `received byte 0x${bad.found} at byte ${offset}`,
    of.encoding === 'utf8' ? 'ERR_INVALID_UTF8' : 'ERR_INVALID_TEXT',
    line,
    offset,
  )
}

function isValid(bytes: Buffer, encoding: string): boolean {
  return encoding === 'utf8' ? isUtf8(bytes) : encoding === 'latin1' || decodes(bytes, encoding, false)
}

function invalidLine(block: Buffer, { encoding, lineEnd }: LineLimits): BadLine {
  const at = encoding === 'utf8' ? validLength(block) : decodableLength(block, encoding)
  let start = 0
  for (let end = lineEnd.find(block, 0); end >= 0 && end <= at; end = lineEnd.find(block, end)) start = end
  return { kind: 'invalid', start, at, found: block.toString('hex', at, at + 1) }
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

/** The same, for another encoding: how long a beginning may be without an error, and then without half a character. */
function decodableLength(bytes: Buffer, encoding: string): number {
  let good = 0
  let bad = bytes.length + 1
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (decodes(bytes.subarray(0, middle), encoding, true)) good = middle
    else bad = middle
  }
  while (good > 0 && !decodes(bytes.subarray(0, good), encoding, false)) good--
  return good
}
