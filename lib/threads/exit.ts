/** Waits for a worker that was asked to end by itself: while its output still comes, and some time longer. */
import type { Worker } from 'node:worker_threads'
import { inTime } from './in-time.js'

/** How long a worker may print nothing before it is given up, in milliseconds. Its `exit` handlers run meanwhile. */
const EXIT_TIMEOUT_MS = 1_000
/** The same while its event loop is blocked, so that it cannot end. */
const BLOCKED_EXIT_TIMEOUT_MS = 100

/**
 * Settles when the worker has exited and all its output has come, or when it is given up. Never rejects. It does not end the worker.
 *
 * @param exited Settles when it has exited.
 * @param isBlocked Whether its event loop seems to be blocked.
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

/** Node's own listeners pass the output on. When the stream has ended, they have all of it. */
function endOf(output: Worker['stdout']): Promise<void> {
  return new Promise((resolve) => {
    if (output.readableEnded || output.destroyed) resolve()
    else {
      output.once('end', resolve)
      output.once('close', resolve)
    }
  })
}
