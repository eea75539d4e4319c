/** What a command line says about its end: the line of an error, and the exit code. */
import { failure, MillraceError, type Failure } from '../../index.js'
import { CheckpointError, isErrorObject, received } from '../../errors.js'
import { escaped } from '../escaped.js'
import { inOwnWords } from '../own-words.js'
import { UsageError } from '../usage-error.js'
import { stageOf } from './stage-mark.js'

/** The exit codes. A command line that a signal has ended has none. */
export const DONE = 0
export const FAILED = 1
export const WRONG = 2
export const INCOMPLETE = 3
export const GAVE_UP = 4
export const CANNOT_RESUME = 5

/** Nothing has been read when these are found. */
const BEFORE_READING = new Set(['ERR_OUTPUT_IS_INPUT', 'ERR_NO_FILES'])

export function exitCodeOf(error: unknown): number {
  const { code } = Object(error) as { code?: unknown }
  if (error instanceof UsageError || BEFORE_READING.has(String(code))) return WRONG
  if (error instanceof CheckpointError) return CANNOT_RESUME
  return code === 'ERR_TOO_MANY_ERRORS' ? GAVE_UP : FAILED
}

/**
 * The line of an error, or several with its stack.
 *
 * @param of The stream, or the promise of a fold: they know the item if what was thrown is no object.
 */
export function faultText(error: unknown, of: object | undefined, isVerbose: boolean): string {
  if (error instanceof UsageError) return escaped(error.message, '\n')
  const { code, cause } = Object(error) as { code?: unknown; cause?: unknown }
  // The last item that has failed says most.
  if (code === 'ERR_TOO_MANY_ERRORS') {
    return `${escaped((error as Error).message)}: ${faultText(cause, undefined, isVerbose)}`
  }
  const where = failure(error) ?? failure(of)
  const stage = stageOf(error)
  const line = [where && placeOf(where), where === undefined ? ownText(error) : textOf(error)]
    .filter((part) => part !== undefined)
    .join(': ')
  const text = escaped(`${line}${stage === undefined ? '' : ` (in ${stage.startsWith('-') ? '' : 'task '}${stage})`}`)
  const stack = isVerbose && isErrorObject(error) ? error.stack : undefined
  return typeof stack === 'string' ? `${text}\n${escaped(stack, '\n')}` : text
}

function placeOf({ file, line, record, index }: Failure): string {
  if (record === undefined) return `item ${index}`
  return `${file ?? 'stdin'}:${line ?? record}`
}

function textOf(error: unknown): string {
  if (!isErrorObject(error)) return `thrown: ${received(error)}`
  if (error instanceof MillraceError) return `${error.name}: ${inOwnWords(error.message)}`
  return `${error.name}: ${error.message}${causeOf(error)}${cureOf(error)}`
}

/** `fetch()` says only there what has failed. */
function causeOf({ message, cause }: Error): string {
  if (!isErrorObject(cause)) return ''
  const { code } = cause as { code?: unknown }
  const text = cause.message === '' && typeof code === 'string' ? code : cause.message
  return text === '' || message.includes(text) ? '' : ` (${text})`
}

/** Of what people write who know awk, and of a text without quotes. */
function cureOf({ name, message }: Error): string {
  const [, absent = ''] = name === 'ReferenceError' ? (/^(\S+) is not defined$/.exec(message) ?? []) : []
  const [, field] = /^\$(\d+)$/.exec(absent) ?? []
  if (field === '0') return ' (the line is d)'
  if (field !== undefined) return ` (for a field of a line: d.split(/\\s+/)[${Number(field) - 1}])`
  return ''
}

/** Errors of this library and of the system say what they are. */
function ownText(error: unknown): string {
  const isWhole = error instanceof MillraceError || typeof (Object(error) as NodeJS.ErrnoException).errno === 'number'
  return isWhole ? inOwnWords((error as Error).message) : textOf(error)
}
