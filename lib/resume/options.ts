/** The option `resume` of a sink. */
import { typeError } from '../errors.js'
import { isPlainObject, OptionReader } from '../options.js'

/** The options of `resume`. */
export interface ResumeOptions {
  /** How long until the next checkpoint, in milliseconds. Default: 5,000; minimum: 1. */
  readonly interval?: number
  /** After how many bytes of the input, as it is stored, the next checkpoint is made. Default: 268,435,456 (256 MiB). */
  readonly bytes?: number
  /** The path of the checkpoint. Default: that of the output, with `.checkpoint` behind it. */
  readonly checkpoint?: string
  /** Whether a run goes on though the code of a task has changed. Default: false. */
  readonly allowChangedCode?: boolean
}

/** The same, checked. */
export interface ResumeSettings {
  /** The path of the checkpoint. */
  readonly checkpoint: string
  /** In milliseconds. */
  readonly interval: number
  /** Of the input, as it is stored. */
  readonly bytes: number
  readonly allowChangedCode: boolean
}

const DEFAULT_INTERVAL = 5_000
/** The longest time that a timer of Node can wait. */
const MAX_INTERVAL = 2 ** 31 - 1
const DEFAULT_BYTES = 256 * 2 ** 20
const OPTIONS = ['interval', 'bytes', 'checkpoint', 'allowChangedCode'] as const

/**
 * Undefined: nothing goes on.
 *
 * @param action For errors: what the caller is about to do.
 * @param checkpoint The path by default. Undefined: it must be given.
 */
export function readResume(
  action: string,
  read: OptionReader<{ resume?: unknown }>,
  checkpoint: string | undefined,
): ResumeSettings | undefined {
  const expected = 'true, false or { interval, bytes, checkpoint, allowChangedCode }'
  const given = read.value('resume', expected, (value) => typeof value === 'boolean' || isPlainObject(value))
  if (given === undefined || given === false) return undefined
  // By their whole names, for the error texts.
  const named = Object.fromEntries(Object.entries(given as object).map(([name, value]) => [`resume.${name}`, value]))
  const own = new OptionReader<Record<`resume.${(typeof OPTIONS)[number]}`, unknown>>(
    action,
    named,
    OPTIONS.map((name) => `resume.${name}` as const),
  )
  const path =
    own.value('resume.checkpoint', 'a path', (value) => typeof value === 'string' && value !== '') ?? checkpoint
  if (path === undefined) {
    throw typeError('ERR_INVALID_OPTION', `Cannot ${action} as 'resume.checkpoint', the path of a file, must be given`)
  }
  return {
    checkpoint: path as string,
    interval: own.integer('resume.interval', 1, MAX_INTERVAL) ?? DEFAULT_INTERVAL,
    bytes: own.integer('resume.bytes', 1) ?? DEFAULT_BYTES,
    allowChangedCode: own.boolean('resume.allowChangedCode') ?? false,
  }
}
