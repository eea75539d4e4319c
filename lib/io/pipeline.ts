/**
 * Streams as parts of `stream.pipeline` and `compose` of Node. These give all their stages one signal. It fires at any
 * end of the pipeline, after they have destroyed their Node streams.
 */
import { isDestroyable } from './source.js'

const nodeStreams = new WeakMap<AbortSignal, WeakRef<object>>()

/** A stage of the pipeline whose signal this is reads this source. */
export function joinPipeline(signal: AbortSignal, source: object): void {
  if (isDestroyable(source) && !nodeStreams.has(signal)) nodeStreams.set(signal, new WeakRef(source))
}

/**
 * The error that ended the pipeline of a signal. The signal does not have it, but the Node streams are destroyed with
 * it. If a stage threw another error, Node 24 would throw an `AggregateError` of both.
 */
export function reasonOf(signal: AbortSignal): unknown {
  const stream = nodeStreams.get(signal)?.deref() as { readonly errored?: unknown } | undefined
  return stream?.errored ?? signal.reason
}
