/** The paths of the files with which workers start. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundledError } from './bundled.js'

/** Its URL. It is beside this file, and beside each file that contains this code: all are in dist/. */
export const WORKER_FILE: URL = findWorkerFile()

/** The path of the file with which worker processes start. */
export function processFile(): string {
  return fileURLToPath(new URL('./worker/child-main.cjs', import.meta.url))
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
