/** The errors of checkpoints, in one form. */
import { CheckpointError } from '../errors.js'

/** @param path What cannot be used. @param cure What to do. */
export function checkpointError(
  path: string,
  code: CheckpointError['code'],
  reason: string,
  cure: string,
  options?: ErrorOptions,
): CheckpointError {
  const text = `Cannot go on with '${path}' as ${reason} (${cure})`
  return Object.assign(new CheckpointError(text, code, options), { path })
}

/** What parts of a pipeline call it, which do not know its path. */
const UNNAMED = 'the checkpoint'

/** @returns The error, with the path of the checkpoint in its text if it is about one. */
export function withCheckpointPath(error: unknown, path: string): unknown {
  if (!(error instanceof CheckpointError) || !error.message.includes(UNNAMED)) return error
  const text = error.message.replaceAll(UNNAMED, `'${path}'`)
  return Object.assign(new CheckpointError(text, error.code, { cause: error }), { path })
}
