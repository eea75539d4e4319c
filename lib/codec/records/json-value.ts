/** Makes the value of the whole text of one record of JSON. json-columns-decoder.ts makes most objects of columns faster. */
import { received } from '../../errors.js'
import type { JsonFormat } from './format.js'
import { RecordFault } from './record-fault.js'

/** Thrown for a text of which no value can be made. */
export class JsonFault extends RecordFault {
  readonly reason: string

  /** @param reason What goes behind "it". */
  constructor(reason: string, options?: ErrorOptions) {
    super('ERR_JSON', `it ${reason}`, options)
    this.reason = reason
  }
}

/** The value of a text: with columns, an object that has these keys alone. Throws a `JsonFault`. */
export function jsonValue(text: string, { columns }: JsonFormat): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw syntaxFault(text)
  }
  return columns === undefined ? value : pick(value, columns)
}

/** The keys stand in the order of the columns. Those that the value does not have are left out. */
function pick(value: unknown, columns: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new JsonFault(`must be an object, as 'columns' names its keys: received ${received(value)}`)
  const object = value as Readonly<Record<string, unknown>>
  // Entries, since `row.__proto__ = value` sets the prototype.
  return Object.fromEntries(columns.filter((key) => Object.hasOwn(object, key)).map((key) => [key, object[key]]))
}

function syntaxFault(text: string): unknown {
  const cause = parseError(text)
  if (!(cause instanceof Error)) return cause
  // The first line of a document that has many. An element of an array always has both its brackets.
  const cure = /^\s*[[{]\s*$/.test(text) ? ' (for an array over several lines: json())' : ''
  return new JsonFault(`must be JSON: ${cause.message}${cure}`, { cause })
}

/** The error of the text alone: white space before it may belong to no record, and depends on how the input was cut. */
function parseError(text: string): unknown {
  let start = 0
  let end = text.length
  while (start < end && SPACES.includes(text.charAt(start))) start++
  while (start < end && SPACES.includes(text.charAt(end - 1))) end--
  try {
    return JSON.parse(text.slice(start, end))
  } catch (error) {
    return error
  }
}

const SPACES = ' \t\r\n'
