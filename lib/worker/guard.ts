/**
 * Detects a script that starts its pipeline in every worker that imports it: the missing `if (isMainThread) { … }`.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { isMainThread } from 'node:worker_threads'
import { MainThreadGuardError } from '../errors.js'

/** Set while the code of a task runs, and in all that it awaits or schedules. */
const inTask = new AsyncLocalStorage<true>()
let isWorker = false

export function enterWorker(): void {
  isWorker = true
}

/** Runs code of a task, which may start streams. */
export function asTask<T>(run: () => T): T {
  return inTask.run(true, run)
}

/**
 * Throws if the top-level code of a module that a worker imports starts a stream, at once or after an `await`. Only a
 * task may start one. Otherwise each worker would start workers, without end.
 */
export function assertMayStart(action = 'start a stream'): void {
  if (!isWorker || inTask.getStore() === true) return
  throw new MainThreadGuardError(
    `Cannot ${action} as this thread is a worker that is only importing its tasks: ` +
      "put the code that starts it inside if (isMainThread) { … }, with import { isMainThread } from 'millrace'" +
      (isMainThread ? ' (that of node:worker_threads is true in a worker process)' : ''),
  )
}
