/**
 * Loads `millrace/multiprocessing` where a thread gets an object or an error of one of its classes, and has not
 * imported it. The core does not import it otherwise.
 */
import { createRequire } from 'node:module'

/** Loads it at once, which takes some milliseconds: only for the first such object or error. */
export function loadMultiprocessing(): void {
  // Beside this file, and beside each file that has this one's code in it: they are all in dist/.
  createRequire(import.meta.url)('./multiprocessing/index.cjs')
}
