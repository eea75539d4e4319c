/** How results are printed where no format is asked for: strings as they are, other values as JSON. */
import { withEntries } from './entries.js'
import { OutputError, received } from '../../errors.js'
import { writtenFormatOf } from '../../io/suffixes.js'
import type { PlannedOutput } from '../plan.js'

/** Whether results are printed without a format: strings as they are, other values as JSON. */
export function isPrinted({ target, format, partition }: PlannedOutput): boolean {
  return (
    format === undefined && partition === undefined && (target === undefined || writtenFormatOf(target) === undefined)
  )
}

/** The line of a result, without its end. @throws OutputError */
export function printed(result: unknown): string {
  if (typeof result === 'string') return result
  let text: unknown
  try {
    text = JSON.stringify(result)
    // JSON has nothing of a Map and a Set.
    if (text === '{}' && (result instanceof Map || result instanceof Set)) text = JSON.stringify(withEntries(result))
  } catch (cause) {
    throw unfit(`JSON.stringify() threw '${(cause as Partial<Error> | undefined)?.message ?? String(cause)}'`, result, {
      cause,
    })
  }
  if (typeof text === 'string') return text
  throw unfit('JSON has no such value', result)
}

function unfit(reason: string, result: unknown, options?: ErrorOptions): OutputError {
  return new OutputError(
    `Cannot print the result as ${reason}: received ${received(result)} (give plain data)`,
    'ERR_OUTPUT_FORMAT',
    options,
  )
}
