/**
 * A program that does a job, for `campaign.ts`, which kills it. It prints 'begin', and at its end a line of JSON. SIGTERM
 * aborts the writing, which then makes a last checkpoint.
 */
import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Pool } from 'millrace'
import { watchSteps } from '#dist/disk/steps.js'
import { jobOf, type Ways } from './jobs.js'

/** What is wrong with the cuts of a control. */
export type CutFault = 'uncut' | 'spoilt'

/** What it is given, as JSON. */
export interface ChildArguments {
  /** One of `JOB_NAMES`. */
  readonly job: string
  /** The folder of the input files. */
  readonly inputs: string
  readonly output: string
  readonly ways: Ways
  /** For `resume`, in milliseconds. */
  readonly interval: number
  /** For `resume`. */
  readonly bytes: number
  /** A control. 'uncut': truncations are left out. 'spoilt': each changes the last byte that stays. */
  readonly fault?: CutFault | undefined
}

/** What it prints at its end. */
export interface ChildResult {
  /** Whether SIGTERM has ended it. Then there are no figures. */
  readonly wasStopped: boolean
  readonly resumed?: boolean
  readonly figures?: Figures
  /** How long it was at work, in milliseconds. */
  readonly duration: number
}

/** They must be those of a run without a stop. */
export interface Figures {
  readonly read: number
  readonly written: number
  readonly rejected: number
  readonly skipped: number
  readonly bytesWritten: number
}

const { job, inputs, output, ways, interval, bytes, fault } = JSON.parse(process.argv[2] ?? '{}') as ChildArguments

/** The hook is one for all copies of the library. */
if (fault !== undefined) {
  watchSteps(async (step, take) => {
    if (!step.name.endsWith('.truncate')) return await take()
    if (fault === 'spoilt') {
      await take()
      spoil(step.path)
    }
    return undefined
  })
}

const controller = new AbortController()
process.once('SIGTERM', () => {
  controller.abort()
})

print('begin')
const began = performance.now()
const run = jobOf(job).run({
  pool: new Pool({ workers: Math.max(1, ways.workers) }),
  ways,
  options: { resume: { interval, bytes }, signal: controller.signal },
  input: (suffix) => join(inputs, suffix, '*'),
  at: (name) => join(output, name),
})
let result: Omit<ChildResult, 'duration'>
try {
  const { resumed, read, written, rejected, skipped, bytesWritten } = await run
  result = { wasStopped: false, resumed, figures: { read, written, rejected, skipped, bytesWritten } }
} catch (error) {
  if (!controller.signal.aborted || error !== controller.signal.reason) throw error
  result = { wasStopped: true }
}
print(JSON.stringify({ ...result, duration: performance.now() - began } satisfies ChildResult))

/** At once: it may be killed directly afterwards. */
function print(line: string): void {
  writeSync(process.stdout.fd, `${line}\n`)
}

/** Changes the last byte of a file. */
function spoil(path: string): void {
  const { size } = statSync(path)
  const file = openSync(path, 'r+')
  writeSync(file, '#', Math.max(0, size - 1))
  closeSync(file)
}
