/** What is said of an error that was found before a run, or that prevents it. */
import { escaped } from './escaped.js'
import { UsageError } from './usage-error.js'

/** @param isVerbose Whether a stack follows the line. */
export function problemText(error: unknown, isVerbose: boolean): string {
  if (error instanceof UsageError) {
    const { message, cause } = error
    // A module that does not load has a stack of interest.
    const inner: unknown = cause instanceof Error ? (cause.cause ?? cause) : undefined
    const shown = isVerbose && inner instanceof Error ? `\n${inner.stack ?? ''}` : ''
    return escaped(`${message}${shown}`, '\n')
  }
  const {
    message = String(error),
    name = 'Error',
    errno,
    stack,
  } = error instanceof Error ? (error as NodeJS.ErrnoException) : {}
  // An error of the system says what it is.
  const text = escaped(errno === undefined ? `${name}: ${message}` : message)
  return isVerbose && stack !== undefined ? `${text}\n${escaped(stack, '\n')}` : text
}
