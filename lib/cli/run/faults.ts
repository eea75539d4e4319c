/** What a command line says about its end: the line of an error, and the exit code. */
import { failure, MillraceError, type Failure } from '../../index.js'
import { CheckpointError, isErrorObject, received } from '../../errors.js'
import { escaped } from '../escaped.js'
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
  return isErrorObject(error) ? `${error.name}: ${error.message}` : `thrown: ${received(error)}`
}

/** Errors of this library and of the system say what they are. */
function ownText(error: unknown): string {
  const isWhole = error instanceof MillraceError || typeof (Object(error) as NodeJS.ErrnoException).errno === 'number'
  return isWhole ? (error as Error).message : textOf(error)
}
