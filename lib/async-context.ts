/**
 * The async contexts (those of `AsyncLocalStorage`) in which the library runs code that outlives a call.
 *
 * User code that a stream calls runs in the context in which the stream was started. Parts of a pool (threads, ports,
 * timers) are made outside of it. Otherwise they would keep the context of the pool's first user alive, and pass it to
 * all others.
 */
import { AsyncResource } from 'node:async_hooks'

/** The context in which a stream calls user code. */
export type AsyncContext = AsyncResource

/** The context of the code that runs now. */
export function currentContext(): AsyncContext {
  // Without it, collecting one would cost a hook.
  return new AsyncResource('MILLRACE_STREAM', { requireManualDestroy: true })
}

/** The context in which the library was loaded. No stream has it. */
export const outside: AsyncContext = new AsyncResource('MILLRACE', { requireManualDestroy: true })
