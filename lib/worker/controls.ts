/** The calls that a pool makes through `threads`, and how the worker lets it make them. Chunks do not come this way. */
import { createRequire } from 'node:module'
import { pack } from '../codec/codec.js'
import { encodeError } from '../codec/error-codec/encode.js'
import { asTask } from './guard.js'
import { requireThreads } from './load-threads.js'
import { loadTask } from './load.js'
import { arrived } from './sharing.js'
import type { WorkerControl } from './protocol.js'

/** Lets the pool call the controls of worker number `worker`. Once per thread; takes milliseconds, as `threads` is loaded. */
export function exposeControls(worker: number): void {
  const controls: WorkerControl = {
    async initialize(name, args) {
      try {
        const initialize = await loadTask(name)
        const own = (await arrived(args)) as readonly unknown[]
        await asTask(() => initialize(...own))
      } catch (error) {
        return encodeError(error, `initializer '${name.id}' (worker ${worker})`)
      }
      return undefined
    },
    async finalize(name) {
      try {
        const finalize = await loadTask(name)
        return { value: structuredClone(pack([await asTask(() => finalize())]).data) }
      } catch (error) {
        return { error: encodeError(error, `finalizer '${name.id}' (worker ${worker})`) }
      }
    },
  }
  loadThreadsWorker().expose(controls)
}

/**
 * Importing `threads/worker` would add handlers that swallow uncaught errors and report some of them later by message.
 * Without them a crash is what Node makes of it: the end of the thread, with an `error` event in its parent.
 */
function loadThreadsWorker(): { expose(controls: WorkerControl): void } {
  const require = createRequire(import.meta.url)
  const handlers = ['uncaughtException', 'unhandledRejection']
  return requireThreads(require, 'threads/worker', handlers) as ReturnType<typeof loadThreadsWorker>
}
