/**
 * The module of tasks that the workers of a command line load. Its initializer gets the stages as data, and defines a task
 * for each pass of them.
 */
import { task, type MadeByTask } from '../../task.js'
import type { TaskFunction } from '../../worker/load.js'
import { stagesFile } from '../../worker-file.js'
import type { PassData } from './pass-data.js'
import { passTask } from './pass-task.js'

/** The initializer of a worker: loads all modules, and compiles all expressions. */
export const prepare: ((passes: readonly PassData[]) => Promise<void>) & MadeByTask = task(
  stagesFile(),
  'prepare',
  async (passes: readonly PassData[]) => {
    keepOutputClean()
    keepQuietOfFormats()
    for (const pass of passes) await definePass(pass)
  },
)

/** A call of it settles when a worker is prepared. */
export const ready: (() => void) & MadeByTask = task(stagesFile(), 'ready', () => undefined)

/** The task of a pass, which runs on this thread, too. */
export async function definePass(pass: PassData): Promise<TaskFunction & MadeByTask> {
  const run: TaskFunction = await passTask(pass)
  return task(stagesFile(), pass.id, run)
}

/** The name of the task of a pass, for a thread that does not run it. */
export function namePass(pass: PassData): TaskFunction & MadeByTask {
  const absent = (): never => {
    throw new Error(`The pass '${pass.id}' runs in workers alone`)
  }
  return task(stagesFile(), pass.id, absent)
}

/** Node warns in each worker of an ES module that it takes as CommonJS. The error says it, once. */
function keepQuietOfFormats(): void {
  const emit = process.emit.bind(process) as (name: string, ...values: unknown[]) => boolean
  const quieter: typeof emit = (name, ...values) =>
    name === 'warning' && values[0] instanceof Error && /^To load an ES module\b/.test(values[0].message)
      ? false
      : emit(name, ...values)
  Object.assign(process, { emit: quieter })
}

/** The standard output has results alone: what tasks print goes to the standard error. */
function keepOutputClean(): void {
  process.stdout.write = process.stderr.write.bind(process.stderr)
}
