/** The calls that a pool makes, and how the worker lets it make them: a thread through `threads`. Chunks do not come this way. */
import { pack } from '../codec/codec.js'
import { encodeError } from '../codec/error-codec/encode.js'
import { expose } from '../threads-package.js'
import { asTask } from './guard.js'
import { loadTask } from './load.js'
import { arrived } from './sharing.js'
import type { WorkerControl } from './protocol.js'

/** The controls of worker number `worker`. */
export function controlsOf(worker: number): WorkerControl {
  return {
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
}

/** Lets the pool of a thread call its controls. Once per thread. It loads `threads`, which takes milliseconds. */
export function exposeControls(worker: number): void {
  expose(controlsOf(worker))
}
