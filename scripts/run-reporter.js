// @ts-check
/**
 * A reporter of Jest. It keeps in a file what runs and how long files took. run-tests.js reads it, also when the process
 * has ended without a word. The environment variable TEST_RUN_FILE names the file.
 */
import { writeFileSync } from 'node:fs'

/**
 * @typedef {object} Run
 * @property {boolean} isComplete whether Jest has run all files
 * @property {string | undefined} running the path of the file that runs
 * @property {Record<string, number>} milliseconds how long each file took that has ended, by its path
 */

export default class RunReporter {
  /** @type {Run} */
  #run = { isComplete: false, running: undefined, milliseconds: {} }
  #started = 0

  /** @param {{ path: string }} test */
  onTestFileStart({ path }) {
    this.#started = performance.now()
    this.#note({ running: path })
  }

  /** @param {{ path: string }} test */
  onTestFileResult({ path }) {
    const milliseconds = { ...this.#run.milliseconds, [path]: performance.now() - this.#started }
    this.#note({ running: undefined, milliseconds })
  }

  onRunComplete() {
    this.#note({ isComplete: true })
  }

  /** @param {Partial<Run>} change */
  #note(change) {
    this.#run = { ...this.#run, ...change }
    if (process.env.TEST_RUN_FILE) writeFileSync(process.env.TEST_RUN_FILE, JSON.stringify(this.#run))
  }
}
