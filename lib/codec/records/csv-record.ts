/**
 * Splits one record of CSV into its fields, byte by byte. This is the definition of what a field is.
 * csv-decoder.ts reads most records faster, and must give the same.
 */
import { CARRIAGE_RETURN, NEWLINE } from '../line-end.js'
import type { QuotedDialect } from '../../scan/quoted.js'

const SPACE = 32
const TAB = 9

/** Why a record cannot be split. */
export interface QuoteFault {
  /** The position of the field among all, from 0. */
  readonly field: number
  readonly kind: 'in a field' | 'behind a field' | 'not closed'
}

export interface SplitRecord {
  readonly fields: string[]
  readonly fault: QuoteFault | undefined
}

/** Makes a string of bytes from `start` up to `end`. */
export type Slice = (start: number, end: number) => string

/**
 * Splits the record that stands in the bytes from `start` up to `end`, without what ends it. Empty lines and comments
 * may stand before it. With `relaxed`, quotes in wrong places are text.
 */
export function splitRecord(
  bytes: Uint8Array,
  start: number,
  end: number,
  dialect: QuotedDialect,
  relaxed: boolean,
  slice: Slice,
): SplitRecord {
  const { delimiter, quote, escape, trim } = dialect
  const isSpace = (byte: number | undefined): boolean => (byte === SPACE || byte === TAB) && byte !== delimiter
  const fields: string[] = []
  let fault: QuoteFault | undefined
  let at = contentStart(bytes, start, end, dialect)
  for (;;) {
    if (trim) while (at < end && isSpace(bytes[at])) at++
    let text = ''
    let from = at
    if (at < end && bytes[at] === quote) {
      from = ++at
      let isClosed = false
      while (at < end && !isClosed) {
        const byte = bytes[at]
        if (
          byte === escape &&
          (bytes[at + 1] === quote || (escape !== quote && bytes[at + 1] === escape)) &&
          at + 1 < end
        ) {
          text += slice(from, at) + slice(at + 1, at + 2)
          at += 2
          from = at
        } else if (byte === escape && escape !== quote) at = Math.min(end, at + 2)
        else if (byte === quote) {
          isClosed = true
        } else at++
      }
      text += slice(from, at)
      if (!isClosed) fault ??= { field: fields.length, kind: 'not closed' }
      else at++
      from = at
      if (trim) while (at < end && isSpace(bytes[at])) at++
      if (at < end && bytes[at] !== delimiter) {
        if (!relaxed) fault ??= { field: fields.length, kind: 'behind a field' }
      } else from = at
    }
    const bareStart = from
    while (at < end && bytes[at] !== delimiter) {
      if (bytes[at] === quote && !relaxed) fault ??= { field: fields.length, kind: 'in a field' }
      at++
    }
    let to = at
    if (trim) while (to > bareStart && isSpace(bytes[to - 1])) to--
    fields.push(to > bareStart ? text + slice(bareStart, to) : text)
    if (at >= end) return { fields, fault }
    at++
  }
}

/** Where the record begins, behind empty lines and comments. */
export function contentStart(bytes: Uint8Array, start: number, end: number, dialect: QuotedDialect): number {
  const { comment, newline, skipEmpty, trim, delimiter } = dialect
  let at = start
  for (;;) {
    if (at < end && comment >= 0 && bytes[at] === comment) {
      while (at < end && bytes[at] !== newline) at++
    } else {
      if (!skipEmpty) return at
      let to = at
      if (trim) while (to < end && (bytes[to] === SPACE || bytes[to] === TAB) && bytes[to] !== delimiter) to++
      if (bytes[to] === CARRIAGE_RETURN && newline === NEWLINE) to++
      if (to >= end || bytes[to] !== newline) return at
      at = to
    }
    if (at >= end) return at
    at++
  }
}
