/** Where the reading of inputs can go on, in another run. Types of JSON. */
import type { Json } from '../resume/mark.js'
import type { Member } from './members.js'

/** A place in the text of an input, and how it is reached. */
export type TextPlace = Readonly<{
  /** Where the next line or record begins, in bytes, as errors tell it. */
  offset: number
  /** The numbers of that record and line, from 1. */
  record: number
  line: number
  /** Where the text begins: behind a byte order mark. */
  start: number
  /** Whether the file can be read from there. If not, it is read from its start, and text is left out. */
  isDirect: boolean
  /** Of compressed data: the member from which they can be read. */
  member?: Member | undefined
  /** What else is known there of the structure around the records. */
  state?: Json | undefined
}>

/** A place in several inputs. */
export type InputsPlace = Readonly<{
  /** The number of the input, from 0: all before it are done. */
  input: number
  /** Undefined: it begins at its start. */
  at?: TextPlace | undefined
  /** How many lines have been left out, in all inputs. */
  skipped?: number | undefined
}>

/** What a checkpoint has as such a place; undefined if it is not one. */
export function asInputsPlace(value: Json | undefined): InputsPlace | undefined {
  const { input, at, skipped = 0 } = Object(value) as Readonly<Record<string, Json | undefined>>
  if (!isCount(input) || !isCount(skipped)) return undefined
  const place = { input, skipped }
  if (at === undefined) return place
  const given = asTextPlace(at)
  return given && { ...place, at: given }
}

function asTextPlace(value: Json): TextPlace | undefined {
  const { offset, record, line, start, isDirect, member, state } = Object(value) as Readonly<
    Record<string, Json | undefined>
  >
  const { format, compressed, text } = Object(member) as Readonly<Record<string, Json | undefined>>
  if (!isCount(offset) || !isCount(record) || !isCount(line) || !isCount(start)) return undefined
  const place = { offset, record, line, start, isDirect: isDirect === true, state }
  if (member === undefined) return place
  if ((format !== 'gzip' && format !== 'zstd') || !isCount(compressed) || !isCount(text)) return undefined
  return text <= offset ? { ...place, member: { format, compressed, text } } : undefined
}

function isCount(value: Json | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
