/**
 * The arguments of a verb: tells its two forms apart, and says what is wrong with a source and what to write instead. `plan.ts` checks
 * options, `task-name.ts` checks tasks.
 */
import { received, typeError } from '../errors.js'
import { isIterable, type Source } from '../io/source.js'
import { isPlainObject } from '../options.js'
import { invalidTask, isMadeByTask, isReference } from '../task-name.js'
import { isThenable } from '../thenable.js'
import { isStage } from './stage.js'

/** The arguments of a verb that takes `(task, source, options)`, or `(task, options)` for a stage. */
export interface Arguments {
  readonly task: unknown
  /** Whether there is a source: then the verb gives the stream, and not a stage. */
  readonly direct: boolean
  readonly source: unknown
  readonly options: unknown
}

/** Reads the arguments of a verb that has both forms. */
export function readArguments(action: string, args: readonly unknown[]): Arguments {
  assertOrder(action, args)
  const [task, second, third] = args
  const isSource = isIterable(second) || third !== undefined || (args.length > 1 && !isPlainObject(second))
  if (!isSource) return { task, direct: false, source: undefined, options: second }
  // Before the options, which may be right. A stage that gets no source later has no other form.
  const isMissing = second === undefined && args.length === 2
  assertSource(action, second, isMissing ? ' (for a stage: leave the argument out)' : undefined)
  return { task, direct: true, source: second, options: third }
}

/** Throws when the source or the options come before the task, or the options before the source. */
export function assertOrder(action: string, [task, second, third]: readonly unknown[]): void {
  const isTaskLate = !isTaskLike(task) && isTaskLike(second)
  const isSourceLate = isPlainObject(second) && !isIterable(second) && (isIterable(third) || isTaskLike(third))
  if (!isTaskLate && !isSourceLate) return
  const all = [task, second, ...(third === undefined ? [] : [third])].map(received).join(', ')
  const order = action.includes('apply()') ? 'task, args, options' : 'task, source, options'
  throw invalidTask(`Cannot ${action} as its arguments must be in the order (${order}): received (${all})`)
}

function isTaskLike(value: unknown): boolean {
  return typeof value === 'function' || isReference(value)
}

/**
 * Throws an error that a beginner understands when `value` is not a source.
 *
 * @param action What the caller is about to do.
 * @param hint What to write instead. Default: by the kind of value.
 */
export function assertSource(
  action: string,
  value: unknown,
  hint: string = sourceHint(value),
): asserts value is Source<unknown> {
  if (isIterable(value)) return
  throw typeError(
    'ERR_INVALID_SOURCE',
    `Cannot ${action} as its source must be an iterable or async iterable: received ${received(value)}${hint}`,
  )
}

function sourceHint(value: unknown): string {
  const hint = hintFor(value)
  return hint === undefined ? '' : ` (${hint})`
}

function hintFor(value: unknown): string | undefined {
  if (typeof value === 'string') {
    return isHttp(value) ? HTTP_HINT : 'for a file: lines(path), csv(path) or ndjson(path); for characters: [...text]'
  }
  if (typeof value === 'number') return 'for the numbers below it: Array(n).keys()'
  if (typeof value === 'function') return functionHint(value)
  if (typeof value !== 'object' || value === null) return undefined
  if (value instanceof URL) return isHttp(value.href) ? HTTP_HINT : 'for the lines of a file: lines(url)'
  const has = value as Partial<Record<'next' | 'body' | 'stream' | 'emit' | 'on', unknown>>
  if (isThenable(value)) return 'a promise: await it first'
  if (isReference(value)) return 'a task comes first, then the source'
  if (typeof has.next === 'function') {
    return 'an iterator without [Symbol.iterator](): pass what it iterates over, or { [Symbol.iterator]: () => iterator }'
  }
  // A Response or Request, and a Blob.
  if (isIterable(has.body)) return 'its bytes: .body; their lines: lines(response.body)'
  if (typeof has.stream === 'function') return 'its bytes: .stream(); their lines: lines(blob.stream())'
  if (typeof has.emit === 'function' && typeof has.on === 'function') {
    return "an emitter of events: on(emitter, 'name'), from 'node:events'"
  }
  return isPlainObject(value) ? 'an object: Object.entries(object)' : undefined
}

const HTTP_HINT = 'for the lines that a server sends: lines(url)'

function isHttp(url: string): boolean {
  return /^https?:/.test(url)
}

function functionHint(value: object): string {
  if (isStage(value)) return 'a stage needs a source first: pipe(source, stage, …), or stage(source)'
  if (isMadeByTask(value)) return 'a task comes first, then the source'
  const kind = Object.prototype.toString.call(value)
  return kind.endsWith('GeneratorFunction]') ? 'a generator: call it' : 'a function: call it, if it returns the source'
}

const PIPE = 'build a pipeline with pipe()'

/** Throws when the first argument of `pipe` is not a source, a function that returns one, or a duplex. */
export function assertPipeSource(value: unknown): void {
  if (isPipePart(value) && !isStage(value)) return
  assertSource(PIPE, value)
}

/** Throws when another argument of `pipe` is not a stage. */
export function assertPipeStage(value: unknown, index: number): void {
  if (isPipePart(value)) return
  throw typeError(
    'ERR_INVALID_ARGUMENTS',
    `Cannot ${PIPE} as its argument ${index + 2} must be a stage, a function from a source to a stream: ` +
      `received ${received(value)}${stageHint(value)}`,
  )
}

/** it-pipe takes these anywhere in a pipeline, with or without a source before: a function that is not a task, or a duplex. */
function isPipePart(value: unknown): value is object {
  if (typeof value === 'function') return !isMadeByTask(value)
  return typeof value === 'object' && value !== null && 'source' in value && 'sink' in value
}

function stageHint(value: unknown): string {
  if (isMadeByTask(value) || isReference(value)) return ' (a task needs a verb: imap(task))'
  if (isIterable(value)) return ' (a source or stream: a verb makes a stage where it gets no source, as in imap(task))'
  return isThenable(value) ? ' (a promise: await it first)' : ''
}
