/** The error of a part of a pipeline that can only begin at its start. */
import { CheckpointError } from '../errors.js'

/**
 * @param what The part, such as `csv()`, and what about it cannot go on.
 * @param cure What to write instead.
 */
export function notResumable(what: string, cure: string): CheckpointError {
  return new CheckpointError(
    `Cannot resume as every part of the pipeline must be able to go on where it was: received ${what} (${cure})`,
    'ERR_NOT_RESUMABLE',
  )
}
