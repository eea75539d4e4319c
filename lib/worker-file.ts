/** The path of the file with which workers start. It is the only file that the library looks for at run time. */
import { existsSync } from 'node:fs'
import { bundledError } from './bundled.js'

/** Its URL. It is beside this file, and beside each file that contains this code: all are in dist/. */
export const WORKER_FILE: URL = findWorkerFile()

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
