/** The threads of the default pool, on which the module-level verbs run. */
import { availableParallelism } from 'node:os'
import { ThreadExecutor } from '../executor/threads/thread-executor.js'

export const DEFAULT_IDLE_TIMEOUT_MS = 10_000
export const DEFAULT_START_TIMEOUT_MS = 60_000

let shared: ThreadExecutor | undefined

/** Makes it when it is first needed, and again when it is broken. */
export function defaultExecutor(): ThreadExecutor {
  if (shared === undefined || shared.broken) {
    shared = new ThreadExecutor({
      workers: availableParallelism(),
      name: 'default',
      idleTimeout: DEFAULT_IDLE_TIMEOUT_MS,
      startTimeout: DEFAULT_START_TIMEOUT_MS,
      initargs: [],
    })
  }
  return shared
}
