/** Streams that format their results where these are made, in a worker. */
import type { BatchReader } from '../io/source.js'
import type { OutputLayout } from './output-layout.js'

/** Opens a stream, or gives undefined if it cannot format its results, or has been opened. */
type Open = (layout: OutputLayout) => BatchReader | undefined

/** Kept apart from the streams themselves: it is a matter between parts of this library. */
const openers = new WeakMap<object, Open>()

/** Lets the results of `stream` be read as formatted records, which the layout has settled. */
export function offerFormatted(stream: object, open: Open): void {
  openers.set(stream, open)
}

/** Opens a stream that formats its results; undefined if it does not. Each batch is for `Formatted.of()`. */
export function openFormatted(stream: object, layout: OutputLayout): BatchReader | undefined {
  return openers.get(stream)?.(layout)
}
