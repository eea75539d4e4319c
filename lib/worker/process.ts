/** The inside of a `Process`: calls its target, and tells of what that throws. The thread ends when nothing is left to do. */
import { parentPort } from 'node:worker_threads'
import { sealError, type Envelope } from '../codec/envelope.js'
import { revive } from '../shared/shared.js'
import type { TaskName } from '../task.js'
import { asTask } from './guard.js'
import { takeIdentity, type GivenIdentity } from './identity.js'
import { loadTask } from './load.js'

/** The first message to the thread of a `Process`. */
export interface ProcessSetup {
  readonly type: 'process'
  readonly identity: GivenIdentity
  readonly target: TaskName
  readonly args: readonly unknown[]
}

/** The one message that comes from there: what the target threw. */
export interface ProcessFailed {
  readonly type: 'millrace.failed'
  readonly error: Envelope
}

export async function runProcess({ identity, target, args }: ProcessSetup): Promise<void> {
  takeIdentity(identity)
  try {
    const fn = await loadTask(target)
    const { value: own } = revive(args)
    await asTask(() => fn(...(own as readonly unknown[])))
  } catch (error) {
    parentPort?.postMessage({ type: 'millrace.failed', error: sealError(error) } satisfies ProcessFailed)
    // As in Python: what it has started and not awaited is left undone.
    process.exit(1)
  }
}
