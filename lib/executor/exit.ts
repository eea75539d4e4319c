/** Waiting for a worker that was asked to end by itself: as long as what it has printed still comes, and a while longer. */
import type { Worker } from 'node:worker_threads'
import { inTime } from './in-time.js'

/** How long a worker may be silent before it is given up, in milliseconds: its `exit` handlers run meanwhile. */
const EXIT_TIMEOUT_MS = 1_000
/** How long where its event loop is blocked, so that it cannot end. */
const BLOCKED_EXIT_TIMEOUT_MS = 100

/**
 * Settles when the worker has exited and all that it has printed has come, or when it is to be given up. Never rejects. Ends nothing.
 *
 * @param exited Settles when it has exited.
 * @param isBlocked Whether its event loop seems to have no turn.
 */
export async function untilExited(
  worker: Worker,
  exited: Promise<unknown>,
  isBlocked: () => boolean = () => false,
): Promise<void> {
  const outputs = [worker.stdout, worker.stderr]
  let printed = performance.now()
  const note = (): void => {
    printed = performance.now()
  }
  for (const output of outputs) output.on('data', note)
  const ended = Promise.all([exited, ...outputs.map(endOf)])
  while (!(await inTime(ended, BLOCKED_EXIT_TIMEOUT_MS))) {
    const silent = performance.now() - printed
    if (silent >= EXIT_TIMEOUT_MS || (silent >= BLOCKED_EXIT_TIMEOUT_MS && isBlocked())) break
  }
  for (const output of outputs) output.off('data', note)
}

/** Node's own listeners pass on what comes there: they have it all when the stream has ended. */
function endOf(output: Worker['stdout']): Promise<void> {
  return new Promise((resolve) => {
    if (output.readableEnded || output.destroyed) resolve()
    else {
      output.once('end', resolve)
      output.once('close', resolve)
    }
  })
}
