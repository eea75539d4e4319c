/**
 * The steps by which files are written: the calls that change what is on disk. A test can watch each of them, end the
 * process before or behind it, or let it fail.
 */

/** Whose file it is, and what is done with it. */
const CALLS = {
  /** What `write()` writes. */
  output: [
    'mkdir',
    'create',
    'chmod',
    'truncate',
    'write',
    'datasync',
    'sync',
    'syncFolder',
    'rename',
    'link',
    'unlink',
  ],
  /** The file of `rejects()`. */
  rejects: ['mkdir', 'create', 'chmod', 'truncate', 'write', 'datasync', 'sync', 'syncFolder', 'rename', 'unlink'],
  checkpoint: ['mkdir', 'create', 'write', 'sync', 'rename', 'syncFolder', 'unlink'],
  /** The texts behind the last members of compressed outputs. */
  rests: ['create', 'write', 'sync', 'syncFolder', 'unlink'],
  /** The list of the files that a run has made. */
  created: ['mkdir', 'create', 'write', 'unlink'],
  lock: ['mkdir', 'create', 'write', 'unlink'],
} as const

export type Owner = keyof typeof CALLS
export type Call = (typeof CALLS)[Owner][number]
export type StepName = `${Owner}.${Call}`

/** Each step that there is. */
export const STEPS: readonly StepName[] = Object.entries(CALLS).flatMap(([owner, calls]) =>
  calls.map((call): StepName => `${owner as Owner}.${call}`),
)

export interface Step {
  readonly name: StepName
  /** What it changes. */
  readonly path: string
  /** Of a rename or a link: the new name. */
  readonly to?: string
  /** Of a write: what is added to the file. */
  readonly bytes?: readonly Uint8Array[]
  /** Of a truncation. */
  readonly length?: number
}

/** Stands around each step. It settles as the step is to settle. */
export type StepHook = (step: Step, run: () => Promise<unknown>) => Promise<unknown>

/** One place for all copies of this library in a program. */
const HOOK: unique symbol = Symbol.for('millrace.diskSteps')
const holder = globalThis as { [HOOK]?: StepHook | undefined }

/** For tests. @param hook Undefined: none. */
export function watchSteps(hook: StepHook | undefined): void {
  holder[HOOK] = hook
}

/** Takes a step. */
export function step<T>(step: Step, run: () => Promise<T>): Promise<T> {
  const hook = holder[HOOK]
  return hook === undefined ? run() : (hook(step, run) as Promise<T>)
}
