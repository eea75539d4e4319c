/**
 * The inside of a `Process`: calls its target, and tells what that throws. The thread, or the process, ends when nothing is left to do.
 */
import { parentPort, type MessagePort } from 'node:worker_threads'
import type { Data } from '../codec/codec.js'
import { encodeError } from '../codec/error-codec/encode.js'
import type { EncodedError } from '../codec/error-codec/types.js'
import { TaskLoadError } from '../errors.js'
import type { TaskName } from '../task.js'
import { endThread } from './ending.js'
import { asTask } from './guard.js'
import type { GivenIdentity } from '../identity.js'
import { loadTask } from './load.js'
import { arrived } from './sharing.js'

/** The first message to a process of the system. */
export interface TargetSetup {
  readonly type: 'process'
  readonly identity: GivenIdentity
  /** See `log/settings.ts`. */
  readonly log: Int32Array
  readonly target: TaskName
  /** A pack of one value, the array of its arguments. */
  readonly args: Data
}

/** The first message to a thread. */
export interface ProcessSetup extends TargetSetup {
  readonly log: Int32Array<SharedArrayBuffer>
  /** Of a daemon: a message there asks it to end by itself, as the program ends. */
  readonly endPort: MessagePort | undefined
}

/** The messages from a thread: the error of the target; and, last, that the thread ends by itself. */
export type ProcessNews =
  { readonly type: 'millrace.failed'; readonly error: EncodedError } | { readonly type: 'millrace.exit' }

/** @param fail Tells an error that ends it. */
export async function runTarget({ target, args }: TargetSetup, fail: (error: unknown) => void): Promise<void> {
  // Nothing is left to do, and the module is not loaded: it awaits something at its top level that never settles.
  const tellOfHang = (): void => {
    const reason = 'awaits something at its top level that never settles: await it inside the task'
    fail(new TaskLoadError(`Cannot run task '${target.id}' as its module ${target.module} ${reason}`))
    process.exit(1)
  }
  process.once('beforeExit', tellOfHang)
  try {
    const fn = await loadTask(target)
    process.off('beforeExit', tellOfHang)
    const own = (await arrived(args)) as readonly unknown[]
    await asTask(() => fn(...own))
  } catch (error) {
    fail(error)
    // As in Python, this also ends work that it has started and not awaited.
    process.exit(1)
  }
}

export async function runProcess(setup: ProcessSetup): Promise<void> {
  const { endPort } = setup
  const tellOfExit = (): void => {
    tell({ type: 'millrace.exit' })
  }
  process.once('exit', tellOfExit)
  endPort?.once('message', () => {
    process.off('exit', tellOfExit)
    void endThread()
  })
  endPort?.unref()
  await runTarget(setup, (error) => {
    tell({ type: 'millrace.failed', error: encodeError(error) })
  })
}

function tell(news: ProcessNews): void {
  parentPort?.postMessage(news)
}
