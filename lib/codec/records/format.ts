/**
 * Records as bytes in shared memory, or copied for another process, and how values are made of them. Types only: every
 * thread reads them in the same way, by the decoder of their format.
 */
import type { QuotedDialect } from '../../scan/quoted.js'
import type { TaskName } from '../../task-name.js'

/** How lines are cut and decoded. Can be cloned, as all formats. */
export interface LineFormat {
  readonly kind: 'lines'
  /** `'utf8'`, `'latin1'` (each byte is the character of its number), or an encoding that keeps ASCII bytes. */
  readonly encoding: string
  /** What ends a line; undefined for `\n` or `\r\n`. */
  readonly delimiter?: Uint8Array | undefined
}

/** Values of JSON, each with one byte behind it that ends it. */
export interface JsonFormat {
  readonly kind: 'json'
  readonly encoding: string
  /** The values are objects, and these are the keys that are given. Undefined: values of any kind, whole. */
  readonly columns?: readonly string[] | undefined
}

/** What a field becomes: undefined for a string. A task makes a value of the text. */
export type CsvType = 'number' | 'bigint' | 'boolean' | 'date' | TaskName

export interface CsvFormat {
  readonly kind: 'csv'
  readonly encoding: string
  readonly dialect: QuotedDialect
  /** Whether quotes in wrong places are text. */
  readonly relaxed: boolean
  /** Whether missing fields are empty. */
  readonly pad: boolean
  /** How many fields a record has. */
  readonly width: number
  /** The names of the fields; undefined: rows are arrays. */
  readonly names: readonly string[] | undefined
  /** Which fields are given, by their positions. */
  readonly wanted: readonly number[]
  /** What they become, in the same order. */
  readonly types: readonly (CsvType | undefined)[]
  /** The same for equal formats, and for these alone. */
  readonly key: string
}

/** Lines whose fields are at fixed places. */
export interface FixedFormat {
  readonly kind: 'fixed'
  readonly encoding: string
  readonly names: readonly string[]
  /** Where each field begins, from 0. */
  readonly starts: readonly number[]
  /** Behind the end of each field; -1 for the end of the line. */
  readonly ends: readonly number[]
  /** Whether places count bytes, and not characters. */
  readonly inBytes: boolean
  /** Whether spaces and tabs around fields are left out. */
  readonly trim: boolean
  /** Whether fields that a line does not have are empty. */
  readonly pad: boolean
  readonly types: readonly (CsvType | undefined)[]
  /** The same for equal formats, and for these alone. */
  readonly key: string
}

/** The lines of a file of failed items: each gives the item again. */
export interface RejectsFormat {
  readonly kind: 'rejects'
  readonly encoding: string
}

export type RecordFormat = LineFormat | JsonFormat | CsvFormat | FixedFormat | RejectsFormat

/** Whole records that stand together in shared memory. Can be cloned; the memory goes by reference. */
export interface RecordSegment {
  readonly format: RecordFormat
  readonly memory: ArrayBufferLike
  /** Where the first record begins. Bytes that belong to no record, such as empty lines, may stand before each one. */
  readonly start: number
  /** Where the numbers are that tell where each record ends: u32, positions in `memory` behind its delimiter. */
  readonly ends: ArrayBufferLike
  /** Where in `ends` the first number is, in bytes. */
  readonly endsAt: number
  /** How many records. */
  readonly count: number
  /** Whether all bytes are ASCII. */
  readonly isAscii: boolean
  /** Whether there may be a `\r` among them. */
  readonly hasReturns: boolean
  /** Whether the last record has no delimiter. Its end is where the delimiter would end. */
  readonly isOpen: boolean
  /** The path, if the input is a file. */
  readonly file: string | undefined
  /** The number of the first record in its input, from 1. */
  readonly record: number
  /** Where the first record begins in its input, in bytes, without compression. */
  readonly offset: number
  /** The number of the line at position `lineAt` of the memory. Undefined: each record is one line. */
  readonly line: number | undefined
  readonly lineAt: number
}

/** Where a record begins in its input. */
export interface Position {
  readonly file: string | undefined
  readonly record: number
  readonly line: number
  readonly offset: number
}

/** Where a record is in its input. */
export interface Place extends Position {
  /** In bytes, without the end of its line. */
  readonly length: number
}

/** Makes values of the records of one segment after the other. */
export interface RecordDecoder {
  /** Takes the next segment, once `next()` has given all of the last. */
  feed(segment: RecordSegment): void
  /** The next value; undefined at the end of the segment. Throws the error of a bad record, and continues behind it. */
  next(): unknown
  /** Leaves out the next record without making its value. @returns False at the end of the segment. */
  skip(): boolean
  /** Forgets the records that it has not given. */
  clear(): void
}
