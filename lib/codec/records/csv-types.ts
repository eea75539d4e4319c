/** Makes other values of the text of fields. An empty field is null. */
import { attempt, isErrorObject, received } from '../../errors.js'
import { fieldTask, type FieldTask } from './csv-task.js'
import type { CsvType } from './format.js'

/** Thrown for text that is not of its type. */
export class ConversionError extends Error {
  /** Which of the wanted fields it is. */
  readonly index: number

  /** @param reason What goes behind the name of the field. */
  constructor(reason: string, index: number, options?: ErrorOptions) {
    super(reason, options)
    this.index = index
  }
}

/** Gives undefined for text that is not of the type. */
type Read = (text: string) => unknown

interface Type {
  readonly read: Read
  readonly expected: string
}

/** A date alone is at midnight UTC; a date with a time and without a zone is in local time, as in `Date`. */
const ISO_8601 = /^\d{4}-\d\d(?:-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?)?$/i
const INTEGER = /^\s*[+-]?\d+\s*$/

const TYPES: Readonly<Record<Exclude<CsvType, object>, Type>> = {
  number: {
    expected: 'a number',
    read: (text) => {
      const number = Number(text)
      return Number.isNaN(number) || text.trim() === '' ? undefined : number
    },
  },
  bigint: {
    expected: 'an integer',
    read: (text) => (INTEGER.test(text) ? BigInt(text.trim().replace(/^\+/, '')) : undefined),
  },
  boolean: {
    expected: 'true, false, 1 or 0',
    read: (text) => BOOLEANS.get(text.toLowerCase()),
  },
  date: {
    expected: 'a date (ISO 8601)',
    read: (text) => {
      if (!ISO_8601.test(text)) return undefined
      const date = new Date(text.replace(' ', 'T').replace(',', '.'))
      return Number.isNaN(date.getTime()) ? undefined : date
    },
  },
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])

export type Convert = (text: string) => unknown

/** A function that makes a value of the wanted field with this index. It throws a `ConversionError`. */
export function converter(type: CsvType, index: number): Convert {
  if (typeof type === 'object') return taskConverter(fieldTask(type), index)
  const { read, expected } = TYPES[type]
  return (text) => {
    if (text === '') return null
    const value = read(text)
    if (value === undefined) throw new ConversionError(`must be ${expected}: received ${received(text)}`, index)
    return value
  }
}

/** Whatever the task throws becomes the error of the record. */
function taskConverter({ id, call }: FieldTask, index: number): Convert {
  return (text) => {
    if (text === '') return null
    try {
      return call(text)
    } catch (cause) {
      const reason = `must be what task '${id}' takes: received ${received(text)} (${reasonOf(cause)})`
      throw new ConversionError(reason, index, { cause })
    }
  }
}

function reasonOf(thrown: unknown): string {
  const message = attempt(() => (isErrorObject(thrown) ? thrown.message : undefined))
  return typeof message === 'string' && message !== '' ? message : received(thrown)
}
