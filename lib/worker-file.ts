/** The paths of the files with which workers start. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundledError } from './bundled.js'

/** Its URL. It is beside this file, and beside each file that contains this code: all are in dist/. */
export const WORKER_FILE: URL = findWorkerFile()

/** What a process of the system is started for: the worker of a pool, or a `Process`. */
export type ProcessProgram = 'worker' | 'process'

/** The path of the file with which such processes start. */
export function processFile(program: ProcessProgram): string {
  const file = program === 'worker' ? './worker/child-main.cjs' : './worker/process-main.cjs'
  return fileURLToPath(new URL(file, import.meta.url))
}

/** The file of the thread in such a process that watches the one that has started it. */
export function parentWatchFile(): URL {
  return new URL('./worker/parent-watch.cjs', import.meta.url)
}

/** Throws at once, when the library is loaded: a copy in another place could not start a worker. */
function findWorkerFile(): URL {
  let file: URL
  try {
    file = new URL('./worker/main.cjs', import.meta.url)
  } catch (cause) {
    throw bundledError(cause)
  }
  if (!existsSync(file)) throw bundledError()
  return file
}

/** The URL of the module of tasks that the workers of a command line load. */
export function stagesFile(): URL {
  return new URL('./cli/run/stages.cjs', import.meta.url)
}
