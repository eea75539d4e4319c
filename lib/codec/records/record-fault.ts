/** What is wrong with a record, in words, while its place is not known. Decoders add that. */
import type { RecordErrorCode } from '../../errors.js'
import type { RecordSegment } from './format.js'
import { placeIn } from './place.js'
import { recordError } from './record-error.js'

/** Thrown for a record of which no value can be made. */
export class RecordFault extends Error {
  readonly code: RecordErrorCode

  /** @param reason What goes behind "Cannot read the record as". */
  constructor(code: RecordErrorCode, reason: string, options?: ErrorOptions) {
    super(reason, options)
    this.code = code
  }
}

/** The same error, with the place of the record. Other errors stay as they are. */
export function placedFault(error: unknown, segment: RecordSegment | undefined, record: number): unknown {
  if (!(error instanceof RecordFault) || segment === undefined) return error
  return recordError(placeIn(segment, record), error.code, error.message, causeOf(error))
}

/** The cause of an error, as the options of another one. */
export function causeOf(error: Error): ErrorOptions | undefined {
  return 'cause' in error ? { cause: error.cause } : undefined
}
