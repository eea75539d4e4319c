/** The initializer and the finalizer of a worker. A pool calls the finalizer of a thread through `threads`. */
import { pack } from '../codec/codec.js'
import { encodeError } from '../codec/error-codec/encode.js'
import type { EncodedError } from '../codec/error-codec/types.js'
import { expose } from '../threads-package.js'
import { asTask } from './guard.js'
import { loadTask } from './load.js'
import { arrived } from './sharing.js'
import type { FailedStartMessage, Initializer, WorkerControl } from './protocol.js'
import type { WorkerLoop } from './worker-loop.js'

/**
 * Lets a worker listen, after its initializer. If that fails, it does not listen.
 *
 * @param fail Tells of that.
 */
export async function startLoop(
  loop: WorkerLoop,
  worker: number,
  initializer: Initializer | undefined,
  fail: (message: FailedStartMessage) => void,
): Promise<void> {
  const error = initializer && (await initialize(worker, initializer))
  if (error === undefined) loop.listen()
  else fail({ type: 'failedStart', error })
}

/** @returns The error of the initializer, if it threw one. */
async function initialize(worker: number, { name, args }: Initializer): Promise<EncodedError | undefined> {
  try {
    const initialize = await loadTask(name)
    const own = (await arrived(args)) as readonly unknown[]
    await asTask(() => initialize(...own))
  } catch (error) {
    return encodeError(error, `initializer '${name.id}' (worker ${worker})`)
  }
  return undefined
}

/** The controls of worker number `worker`. */
export function controlsOf(worker: number): WorkerControl {
  return {
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
