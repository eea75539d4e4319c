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
