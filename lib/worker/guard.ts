/**
 * Detects a script that starts its pipeline in every worker that imports it: the missing `if (isMainThread) { … }`.
 * The state is the thread's own: whether it is a worker of ours, and what it is doing.
 */
import { MainThreadGuardError } from '../errors.js'

const thread = { worker: false, loading: 0, running: 0 }

/** Says that this thread is one of a pool's workers. */
export function enterWorker(): void {
  thread.worker = true
}

/** Runs `load`, and refuses streams meanwhile. */
export async function whileLoading<T>(load: () => Promise<T>): Promise<T> {
  thread.loading++
  try {
    return await load()
  } finally {
    thread.loading--
  }
}

/** Counts the chunks (or initializers) that run: code of theirs may start streams of its own. */
export function enterTask(): void {
  thread.running++
}

export function leaveTask(): void {
  thread.running--
}

/**
 * Throws when a worker starts a stream for no task of its own. A module's top-level code does so while it is being
 * imported, or, after an `await`, when nothing runs: unguarded, each worker would start workers, without end.
 */
export function assertMayStart(): void {
  if (!thread.worker || (thread.loading === 0 && thread.running > 0)) return
  throw new MainThreadGuardError(
    'Cannot start a stream as this thread is a worker that is only importing its tasks: ' +
      "put the code that starts it inside if (isMainThread) { … }, with import { isMainThread } from 'millrace'",
  )
}
