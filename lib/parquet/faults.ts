/** The errors of files that cannot be read as Parquet. Each names the file. */
import { InputError } from '../errors.js'

/** The file is not Parquet, or uses a part of it that cannot be read. */
export function unreadable(file: string, reason: string, cure?: string): InputError {
  return inputError(file, `${reason}${cure === undefined ? '' : ` (${cure})`}`, 'ERR_INPUT_FORMAT', 0)
}

/** The file is Parquet, and damaged. */
export function damaged(file: string, reason: string, offset: number, cause?: unknown): InputError {
  return inputError(file, reason, 'ERR_DAMAGED_INPUT', offset, cause === undefined ? undefined : { cause })
}

function inputError(
  file: string,
  reason: string,
  code: InputError['code'],
  offset: number,
  options?: ErrorOptions,
): InputError {
  const error = new InputError(`Cannot read '${file}' as Parquet as ${reason}`, code, offset, options)
  return Object.assign(error, { path: file })
}

/** What an error of the package says, for the text of another one. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
