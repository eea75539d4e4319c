/** The same error, saying which file it is about. */
import { addToMessage, isErrorObject } from '../errors.js'

export function located(error: unknown, path: string): unknown {
  if (!isErrorObject(error)) return error
  Object.assign(error, { path })
  if (!error.message.includes(`'${path}'`)) addToMessage(error, ` (in '${path}')`)
  return error
}
