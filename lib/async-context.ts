/**
 * The async contexts (those of `AsyncLocalStorage`) in which the library runs what outlives a call.
 *
 * User code that a stream calls runs in the context of whoever started the stream. What belongs to a pool (threads, ports,
 * timers) is made outside of it: it would keep the context of the pool's first user alive, and hand it to all others.
 */
import { AsyncResource } from 'node:async_hooks'

/** Where a stream calls user code. */
export type AsyncContext = AsyncResource

/** The context of the code that runs now. */
export function currentContext(): AsyncContext {
  // Without it, collecting one would cost a hook.
  return new AsyncResource('MILLRACE_STREAM', { requireManualDestroy: true })
}

/** The context in which the library was loaded: that of no stream. */
export const outside: AsyncContext = new AsyncResource('MILLRACE', { requireManualDestroy: true })
