/** Loads the classes of what threads share, where a thread gets such an object and has not loaded them. */
import { createRequire } from 'node:module'

/** Loads them at once, which takes some milliseconds: only for the first such object. */
export function loadSharedClasses(): void {
  // Beside this file, and beside each file that has this one's code in it: they are all in dist/.
  createRequire(import.meta.url)('./multiprocessing/index.cjs')
}
