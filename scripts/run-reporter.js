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
 * @property {string | undefined} end if the process ends before Jest has run all files: what ended it, with the stack
 */

/** How long Jest may take to end when all files have run, in milliseconds. */
const END_MS = 60_000

export default class RunReporter {
  /** @type {Run} */
  #run = { isComplete: false, running: undefined, milliseconds: {}, end: undefined }
  #started = 0

  constructor() {
    // Tests replace `process.stderr.write`, so that an error may not be seen.
    process.on('uncaughtExceptionMonitor', (error) => {
      this.#note({ end: `uncaught: ${error instanceof Error ? error.stack : String(error)}` })
    })
    // `process.exit()` emits it, so that its caller is in the stack.
    process.on('exit', (code) => {
      if (this.#run.isComplete || this.#run.end !== undefined) return
      const { stack } = new Error(`exit with code ${code}`)
      this.#note({ end: stack })
    })
  }

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
    // A thread or a server that a test has left would keep the process alive.
    setTimeout(() => {
      console.error(
        `The tests have ended, but not the process within ${END_MS} ms: one of them has left something that runs`,
      )
      process.exit(1)
    }, END_MS).unref()
  }

  /** @param {Partial<Run>} change */
  #note(change) {
    this.#run = { ...this.#run, ...change }
    if (process.env.TEST_RUN_FILE) writeFileSync(process.env.TEST_RUN_FILE, JSON.stringify(this.#run))
  }
}
