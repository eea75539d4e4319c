/** The error of a record: it says where the record is. */
import { RecordError, type RecordErrorCode } from '../../errors.js'
import type { Position } from './format.js'

/**
 * @param place Where the record is; record 0 is the header.
 * @param reason What goes behind "Cannot read the record as".
 */
export function recordError(
  place: Position,
  code: RecordErrorCode,
  reason: string,
  options?: ErrorOptions,
): RecordError {
  const { file, record, line, offset } = place
  const of = file === undefined ? '' : ` of '${file}'`
  const what = record === 0 ? 'the header' : `record ${record}`
  return new RecordError(`Cannot read ${what}${of} (line ${line}, byte ${offset}) as ${reason}`, code, place, options)
}
