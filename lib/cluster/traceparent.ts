/** The trace that a stream belongs to: the text of OpenTelemetry and of W3C Trace Context, which goes with each unit. */
import { received, typeError } from '../errors.js'

/** Version, trace, span and flags. An id of zeros and the version `ff` are not valid. */
const FORM = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/
const EXAMPLE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

/**
 * What the option `traceparent` gives.
 *
 * @param ask The option. To be called in the async context of the stream.
 * @throws TypeError `ERR_INVALID_OPTION`: it gives something else. And what it throws.
 */
export function traceparentOf(ask: (() => unknown) | undefined): string | undefined {
  const given = ask?.()
  if (given === undefined || (typeof given === 'string' && FORM.test(given))) return given
  throw typeError(
    'ERR_INVALID_OPTION',
    `Cannot send a chunk as the option 'traceparent' must return undefined or a text such as '${EXAMPLE}': received ${received(given)}`,
  )
}
