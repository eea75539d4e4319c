/** Reads the options that the verbs share, and makes the plan of a stream. */
import { transferListFault } from '../codec/transfer-list.js'
import type { Grain, Job, PoolExecutor } from '../executor/executor.js'
import { inlineExecutor } from '../executor/inline.js'
import { retryExecutor } from '../executor/retry.js'
import type { RetryPolicy } from '../executor/retry-queue.js'
import { rangeError, typeError } from '../errors.js'
import { isAbortSignal, isPlainObject, OptionReader, signalHint } from '../options.js'
import { AutoTuner } from '../stream/auto-tuner.js'
import { defaultWindow } from '../stream/window.js'
import type { ErrorLimit } from '../stream/error-limit.js'
import { targetOf } from '../stream/failure-target.js'
import type { ErrorMode, Rejects } from '../stream/outcome.js'
import { taskOf, type StreamPlan } from '../stream/plan.js'
import { FixedTuner } from '../stream/tuner.js'
import { plainFunctionError, taskName } from '../task-name.js'
import type { JobKind } from '../worker/protocol.js'
import type { RetryOptions, StreamOptions } from './options.js'

/** The values of the option `errors` that are words. */
export type NamedMode = Exclude<ErrorMode, Rejects>

/** The differences between verbs. */
export interface Verb {
  /** For error texts, after 'Cannot': 'open a stream with imap()'. */
  readonly action: string
  readonly kind: JobKind
  readonly ordered: boolean
  readonly executor: () => PoolExecutor
  /** Whether it gives a promise. If the pool cannot be used, that rejects, while other verbs throw at the call. */
  readonly isEager?: boolean
  readonly errors: readonly NamedMode[]
  /** With `errors: 'throw'`: whether the first error comes after the results of all other items. */
  readonly late?: boolean
  /** Whether items are arrays of arguments. */
  readonly spread?: boolean
  /** Whether it is a single call, with one item. */
  readonly isSingle?: boolean
  /** The names of all its options. Default: those of a stream. The verb checks its extra options. */
  readonly options?: readonly string[]
  /** The initial accumulator of a fold. */
  readonly initial?: unknown
}

/** The most items that this thread folds into one accumulator. */
const INLINE_FOLD = 256

/** The names of a stream's options, or those with `own` instead of `concurrency`. */
export function optionNames(own: readonly string[] = ['concurrency']): string[] {
  return ['chunksize', 'window', 'signal', 'errors', 'maxErrors', 'timeout', 'retries', 'transfer', ...own, 'workers']
}

/** For the error of an unknown option, where the options may be meant as the source. */
export const SOURCE_HINT = '. As a source it must be iterable: Object.entries(object)'

/** Validates once. A new plan is made for every stream, because each stream has its own tuner. */
export function planStream(
  verb: Verb,
  task: unknown,
  options: unknown,
  isStage: boolean,
): { readonly plan: () => StreamPlan; readonly name: string } {
  const { action } = verb
  const hint = isStage ? SOURCE_HINT : ''
  const known = (verb.options ?? optionNames()) as never[]
  const read = new OptionReader<StreamOptions>(action, options, known, hint)
  const given = read.integerOr('chunksize', 'auto', 1) ?? 'auto'
  const window = read.integer('window', 1)
  const givenErrors = read.any('errors') as ErrorMode | undefined
  const rejects = targetOf(givenErrors)
  const errors = rejects === undefined ? readMode(verb, read) : 'skip'
  const maxErrors = readLimit(read, errors)
  const concurrency = read.integer('concurrency', 1) ?? 1
  const timeout = read.milliseconds('timeout', 1)
  const retries = readRetries(action, read)
  const signal = read.value('signal', 'an AbortSignal', isAbortSignal, signalHint)
  const asked = read.integer('workers', 0)
  const inline = asked === 0
  const transfer = readTransfer(verb, read)
  // An item whose buffers were moved cannot be sent again, so the fate of other items must not affect it.
  const chunksize = transfer !== undefined && given === 'auto' ? 1 : given
  if (transfer !== undefined) {
    assertAlone(read, 'retries', (retries?.attempts ?? 1) - 1, 0)
    if (!inline && chunksize !== 'auto') assertAlone(read, 'chunksize', chunksize, 1)
    if (!inline) assertAlone(read, 'concurrency', concurrency, 1)
  }
  if (window !== undefined && chunksize !== 'auto' && chunksize > window) {
    throw rangeError(
      'ERR_INVALID_OPTION',
      `Cannot ${action} as 'chunksize' must not exceed 'window': received chunksize ${chunksize}, window ${window}`,
    )
  }
  const name = taskName(action, task)
  if (!inline && name === undefined) throw plainFunctionError(action, task)
  const runner = inline ? () => inlineExecutor(concurrency) : verb.executor
  const executor = retries === undefined ? runner : () => retryExecutor(runner(), retries)
  const job: Job = {
    kind: verb.kind,
    initial: verb.initial,
    fn: typeof task === 'function' ? (task as Job['fn']) : undefined,
    name,
    deep: chunksize !== 'auto',
    maxWorkers: asked,
    transfer,
    concurrency,
    ordered: verb.ordered,
    spread: verb.spread,
    stopOnError: errors === 'throw' && verb.late !== true,
    timeout: timeout === Infinity ? undefined : timeout,
  }
  if (!inline) assertUsable(verb, read, asked)
  const basis = {
    /** It may change, and is asked again and again. */
    get workers(): number {
      return inline ? concurrency : Math.min(asked ?? Infinity, verb.executor().workers)
    },
    get grain(): Grain | undefined {
      return inline ? undefined : verb.executor().grain
    },
    // Enough to keep `concurrency` busy.
    min: concurrency === 1 ? 1 : 4 * concurrency,
    window,
  }
  const plan = (): StreamPlan => ({
    executor,
    job,
    get workers() {
      return basis.workers
    },
    tuner: inline
      ? new FixedTuner(verb.kind === 'reduce' ? Math.min(INLINE_FOLD, window ?? Infinity) : 1)
      : chunksize === 'auto'
        ? new AutoTuner(basis)
        : new FixedTuner(chunksize),
    windowFor: (tuning, before) =>
      window ?? defaultWindow({ workers: basis.workers, maxBytes: basis.grain?.windowBytes, ...tuning }, before),
    errors: errors === 'throw' && verb.late === true ? 'late' : errors,
    rejects,
    rejectsPath: rejects && (givenErrors as Rejects).path,
    maxErrors,
    signals: signal === undefined ? [] : [signal],
  })
  return { plan, name: taskOf({ job }) }
}

/** Checks that a verb may use its pool. `asked`: how many of its workers, by the option `workers`. */
function assertUsable({ executor, isEager }: Verb, read: OptionReader<StreamOptions>, asked: number | undefined): void {
  const pool = executor()
  // How many there are is not known before it is used, where there is a grain.
  if (asked !== undefined && pool.grain === undefined && asked > pool.workers) {
    const expected = `an integer from 0 to ${pool.workers}, the workers of pool '${pool.identify(1).pool}'`
    read.fail(rangeError, 'workers', expected, asked, ` (for more: new Pool({ workers: ${asked} }))`)
  }
  if (isEager !== true) pool.assertOpen()
}

/** The option `transfer`: a function of an item. For a single call, it is the list itself. */
function readTransfer({ action, isSingle }: Verb, read: OptionReader<{ transfer?: unknown }>): Job['transfer'] {
  if (isSingle !== true) {
    const expected = 'a function from an item to an array of its ArrayBuffers'
    const hint = (value: unknown): string => (Array.isArray(value) ? ' (as in (item) => [item.pixels.buffer])' : '')
    return read.value('transfer', expected, (value) => typeof value === 'function', hint) as Job['transfer']
  }
  const list = read.value('transfer', 'an array', Array.isArray)
  if (list === undefined) return undefined
  const fault = transferListFault(list)
  if (fault === undefined) return () => list
  throw typeError('ERR_INVALID_OPTION', `Cannot ${action} as ${fault}`)
}

/** Throws when the option `transfer` is used with an option that it excludes. */
function assertAlone(read: OptionReader<StreamOptions>, name: string, value: number, allowed: number): void {
  const expected = `${allowed} with 'transfer', because moved buffers cannot be sent again`
  if (value !== allowed) read.fail(rangeError, name, expected, value)
}

function readMode(verb: Verb, read: OptionReader<StreamOptions>): NamedMode {
  const hint = verb.errors.includes('skip') ? ', or rejects(path)' : ''
  return read.oneOf('errors', verb.errors, hint) ?? 'throw'
}

const PERCENTAGE = /^(\d{1,3}(?:\.\d+)?)%$/

/** The option `maxErrors`: a number of items, or a share of them. */
function readLimit(read: OptionReader<StreamOptions>, errors: NamedMode): ErrorLimit | undefined {
  const given: unknown = read.any('maxErrors')
  if (given === undefined) return undefined
  const expected = "an integer of at least 0, or a share such as '5%'"
  const [, percent] = typeof given === 'string' ? (PERCENTAGE.exec(given) ?? []) : []
  const share = percent === undefined ? undefined : Number(percent) / 100
  const isCount = typeof given === 'number' && Number.isSafeInteger(given) && given >= 0
  if (!isCount && (share === undefined || share > 1)) read.fail(rangeError, 'maxErrors', expected, given)
  if (errors !== 'skip') {
    read.fail(typeError, 'maxErrors', "used with errors: 'skip' or errors: rejects(path)", given)
  }
  const count = isCount ? given : undefined
  return { shown: `${count ?? `${percent ?? ''}%`}`, count, share }
}

/** The option `retries`; undefined: no retries. */
function readRetries(action: string, read: OptionReader<Pick<StreamOptions, 'retries'>>): RetryPolicy | undefined {
  const expected = 'an integer of at least 0, or an object'
  const retries = read.value('retries', expected, (value) => typeof value === 'number' || isPlainObject(value))
  if (retries === undefined) return undefined
  if (typeof retries === 'number') {
    const further = read.integer('retries', 0) ?? 0
    return further === 0 ? undefined : { attempts: further + 1, ...RETRY_DEFAULTS }
  }
  // By their whole names, for the error texts.
  const named = Object.fromEntries(Object.entries(retries).map(([name, value]) => [`retries.${name}`, value]))
  const own = new OptionReader<Record<`retries.${keyof RetryOptions}`, unknown>>(action, named, RETRY_OPTIONS)
  const attempts = own.integer('retries.attempts', 1)
  const minDelay = own.delay('retries.minDelay') ?? RETRY_DEFAULTS.minDelay
  const maxDelay = own.delay('retries.maxDelay') ?? Math.max(RETRY_DEFAULTS.maxDelay, minDelay)
  const share = 'a number from 0 to 1, true or false'
  const jitter = own.value('retries.jitter', share, (value) => ['number', 'boolean'].includes(typeof value))
  const when = own.value('retries.when', 'a function of an error', (value) => typeof value === 'function')
  if (attempts === undefined) return own.fail(typeError, 'retries.attempts', 'given', retries)
  if (minDelay > maxDelay) {
    throw rangeError(
      'ERR_INVALID_OPTION',
      `Cannot ${action} as 'retries.minDelay' must not exceed 'retries.maxDelay': received ${minDelay} and ${maxDelay}`,
    )
  }
  if (jitter !== undefined && !(Number(jitter) >= 0 && Number(jitter) <= 1)) {
    own.fail(rangeError, 'retries.jitter', share, jitter)
  }
  return {
    attempts,
    minDelay,
    maxDelay,
    jitter: jitter === undefined ? RETRY_DEFAULTS.jitter : Number(jitter),
    when: when as RetryPolicy['when'],
  }
}

const RETRY_DEFAULTS = { minDelay: 100, maxDelay: 10_000, jitter: 0.5 }
const RETRY_OPTIONS = (['attempts', 'minDelay', 'maxDelay', 'jitter', 'when'] as const).map(
  (name) => `retries.${name}` as const,
)
