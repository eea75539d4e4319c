/**
 * Streams as parts of `stream.pipeline` and `compose` of Node. These give all their stages one signal, which fires when the
 * pipeline ends, for whatever reason, after they have destroyed their Node streams.
 */
import { isDestroyable } from './source.js'

/** A Node stream of each pipeline. */
const nodeStreams = new WeakMap<AbortSignal, WeakRef<object>>()

/** A stage of the pipeline whose signal this is reads this source. */
export function joinPipeline(signal: AbortSignal, source: object): void {
  if (isDestroyable(source) && !nodeStreams.has(signal)) nodeStreams.set(signal, new WeakRef(source))
}

/**
 * Why the signal of a pipeline has fired: the error that ended it. The signal does not tell, but its streams are destroyed with
 * it; and a stage that threw anything else would make Node 24 throw an `AggregateError` of both.
 */
export function reasonOf(signal: AbortSignal): unknown {
  const stream = nodeStreams.get(signal)?.deref() as { readonly errored?: unknown } | undefined
  return stream?.errored ?? signal.reason
}
