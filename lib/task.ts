/**
 * Names a function, so that another thread can find it: by the URL of its module and an id within that module.
 * `worker/load.ts` imports the module and finds the function.
 */
/* eslint-disable @typescript-eslint/consistent-type-definitions --
   The declarations of a user's own exports can copy an alias. They would have to name an interface, which the package does not export. */
// Not the global `setImmediate`, which tests replace.
import { setImmediate } from 'node:timers'
import { received } from './errors.js'
import { invalidTask, moduleUrl, NAME, type MadeByTask, type TaskName } from './task-name.js'

export type { MadeByTask, TaskName } from './task-name.js'

/** What a task gets besides its item, if it declares a second parameter without a default. */
export interface TaskContext {
  /**
   * Fires when the stream ended early. A synchronous task can read `signal.aborted`. Its `reason` is a copy of the
   * reason of the stream's `signal`, or an `AbortError` if the stream ended early in another way.
   */
  readonly signal: AbortSignal
  /** The position of the item in the source, from 0. */
  readonly index: number
  /** The worker's number in its pool, from 1; 0 on this thread (`workers: 0`). */
  readonly worker: number
  /**
   * On a cluster: the trace that the stream belongs to, as its option `traceparent` gave it for this chunk. The form is
   * that of W3C Trace Context and OpenTelemetry. Otherwise undefined.
   */
  readonly traceparent: string | undefined
  /**
   * The path of the file that the item is from. Undefined unless the source of the stream gives records or lines
   * (`csv()`, `ndjson()`, `json()`, `lines()`), and for those that were not read from a file. This and the next three
   * are computed when you ask for them.
   */
  readonly file: string | undefined
  /** The number of the record in its input, from 1. Of CSV, the header is not counted. */
  readonly record: number | undefined
  /** The number of the line where the record begins, from 1. It costs a search for the lines before it. */
  readonly line: number | undefined
  /**
   * Where the record begins in its input, in bytes from 0, without compression. Text of UTF-16, and of other encodings
   * that must be decoded first, counts as UTF-8.
   */
  readonly offset: number | undefined
}

/**
 * A function for items of type `I` that a worker can find. Made by `task()` or `tasks()`; call it like any function.
 */
export type Task<I, R> = ((item: I, context: TaskContext) => R) & MadeByTask

/**
 * A function that a module exports under a name. Use it to run code of a module that you do not want to change.
 * `M` is the type of the module, and determines the types of item and result.
 *
 * ```ts
 * const gunzip: TaskReference<typeof import('node:zlib'), 'gunzipSync'> = {
 *   module: 'node:zlib',
 *   export: 'gunzipSync',
 * }
 * ```
 */
export type TaskReference<M, K extends keyof M & string> = Exported<Parameter0<M[K]>, Result<M[K]>> &
  ExportedCall<Arguments<M[K]>, Result<M[K]>> & { readonly export: K }

type Parameter0<F> = F extends (item: infer I, ...rest: never[]) => unknown ? I : never
type Arguments<F> = F extends (...args: infer A) => unknown ? A : never
type Result<F> = F extends (...args: never[]) => infer R ? R : never

/** A `TaskReference` as the verbs accept it, with the types of item and result. It is called with the item alone. */
export type Exported<I, R> = {
  /** The module: a `URL`, a `file:` or `node:` URL string, or an absolute path. */
  readonly module: string | URL
  /** The name under which the module exports the function. */
  readonly export: string
  /** It carries the types, and has no value. */
  readonly '~item'?: (item: I) => R
}

/**
 * Anything a worker can run for items of type `I`. A task whose second parameter is optional is called with the item
 * alone.
 */
export type TaskLike<I, R> = Task<I, R> | (((item: I) => R) & MadeByTask) | Exported<I, R>

/** A `TaskReference` as `starmap`, `istarmap` and `apply` accept it, which call it with several arguments. */
export type ExportedCall<A extends readonly unknown[], R> = {
  /** The module: a `URL`, a `file:` or `node:` URL string, or an absolute path. */
  readonly module: string | URL
  /** The name under which the module exports the function. */
  readonly export: string
  /** It carries the types, and has no value. */
  readonly '~call'?: (...args: A) => R
}

/** Anything a worker can call with arguments of the types `A`. It gets no `TaskContext`. */
export type TaskCall<A extends readonly unknown[], R> = (((...args: A) => R) & MadeByTask) | ExportedCall<A, R>

type AnyFunction = (...args: never[]) => unknown

/**
 * Gives the context its type if a function declares it last without a type: after an item, or after an accumulator and
 * an item. There are two forms, because the compiler then leaves a parameter with a default value alone.
 */
type WithContext = ((item: never) => unknown) | ((first: never, second: TaskContext, context: TaskContext) => unknown)

/**
 * Makes a function into a task: worker threads import its module and find it there by its id. Items and results are
 * copied. An instance of a class arrives as a plain object with its own data fields, without methods and accessors. A
 * value that would lose its state, such as a `URL` or an instance with private fields, fails with a
 * `NotSerializableError` (see docs/values.md).
 *
 * Call it at the top level of a module. Every worker that runs the task imports that module once. Put other work in
 * another module, or inside `if (isMainThread)`.
 *
 * @param module `import.meta.url`; in CommonJS `__filename`.
 * @param id The task's id, unique in its module. Default: the function's name, which a minifier or transformer must not
 * change.
 * @param fn The function, which may be async. It gets the item, or the arguments that `starmap` and `apply` pass. It
 * also gets a `TaskContext` if it declares a second parameter without a default. A fold gets it as its third parameter.
 * `fn.length` decides. `(line, sep = ',')`, `...rest`, built-in functions such as `Math.max`, and bound functions get
 * the item alone: wrap them in a function to get the context.
 * @returns The same function. You can still call it, and all verbs accept it.
 * @throws {TypeError} `ERR_INVALID_TASK`: no name, a name used twice in the module, or no file to import.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, task } from 'millrace'
 *
 * const square = task(import.meta.url, 'square', (x: number) => x * x)
 *
 * if (isMainThread) {
 *   for await (const y of imap(square, [1, 2, 3])) console.log(y)
 *   // → 1
 *   // → 4
 *   // → 9
 * }
 * ```
 */
export function task<F extends WithContext>(module: string | URL, id: string, fn: F): F & MadeByTask
/** The same, for functions of several arguments. */
export function task<F extends AnyFunction>(module: string | URL, id: string, fn: F): F & MadeByTask
/** The same, with the function's name as the id. A minifier or transformer that changes names breaks it. */
export function task<F extends WithContext>(module: string | URL, fn: F): F & MadeByTask
/** The same, for functions of several arguments. */
export function task<F extends AnyFunction>(module: string | URL, fn: F): F & MadeByTask
export function task<F extends AnyFunction>(module: string | URL, idOrFn: string | F, maybeFn?: F): F & MadeByTask {
  return made<F>(module, idOrFn, maybeFn)
}

function made<F extends AnyFunction>(module: unknown, idOrFn: string | F, maybeFn?: F): F & MadeByTask {
  // The module is checked first: without it all other arguments are in the wrong place.
  const url = moduleUrl(module, (reason) => `Cannot define a task as its ${reason}`)
  const fn = typeof idOrFn === 'string' ? maybeFn : idOrFn
  if (typeof fn !== 'function') throw invalid(`its function must be a function: received ${received(fn)}`)
  const id = typeof idOrFn === 'string' ? idOrFn : fn.name
  if (id === '') {
    throw invalid(
      "its function has no name: give it an id, as in task(import.meta.url, 'shout', (x) => …). " +
        'A minifier or transformer may have removed or changed the name',
    )
  }
  return define(url, id, fn)
}

/**
 * Makes several functions into tasks at once. The keys are the ids.
 *
 * @param module `import.meta.url`; in CommonJS `__filename`.
 * @param functions The functions by id.
 * @returns The same functions, each as `task()` returns it.
 * @throws {TypeError} `ERR_INVALID_TASK`, as `task()`.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, pipe, tasks } from 'millrace'
 *
 * const { trim, size } = tasks(import.meta.url, {
 *   trim: (line: string) => line.trim(),
 *   size: (line: string) => line.length,
 * })
 *
 * if (isMainThread) {
 *   for await (const n of pipe(['  one ', 'three'], imap(trim), imap(size))) console.log(n)
 *   // → 3
 *   // → 5
 * }
 * ```
 */
export function tasks<T extends Record<string, WithContext>>(module: string | URL, functions: T): Tasks<T>
/** The same, for functions of several arguments. */
export function tasks<T extends Record<string, AnyFunction>>(module: string | URL, functions: T): Tasks<T>
export function tasks<T extends Record<string, AnyFunction>>(module: string | URL, functions: T): Tasks<T> {
  const named = Object.entries(functions).map(([id, fn]) => [id, made(module, id, fn)])
  return Object.fromEntries(named) as Tasks<T>
}

type Tasks<T> = { readonly [K in keyof T]: T[K] & MadeByTask }

/** The function that `task()` defined on this thread under a name, if its module was imported here. */
export function definedTask(name: TaskName): AnyFunction | undefined {
  return registry().tasks.get(key(name.module, name.id))
}

function define<F extends AnyFunction>(module: string, id: string, fn: F): F & MadeByTask {
  const { [NAME]: known } = fn as F & Partial<MadeByTask>
  if (known !== undefined) throw invalid(`its function already is the task '${known.id}': define it once`)
  const { tasks, current, redefined } = registry()
  const name = key(module, id)
  if (current.has(name)) {
    throw invalid(`'${id}' is defined twice in ${module}: give each task of a module its own id, at the top level`)
  }
  if (tasks.has(name)) redefined.set(module, ++registry().redefinitions)
  tasks.set(name, fn)
  // A module that is evaluated again in a later turn, as by hot reload, replaces its tasks.
  if (current.size === 0)
    setImmediate(() => {
      current.clear()
    }).unref()
  current.add(name)
  Object.defineProperty(fn, SHOWN, { value: () => `[Task: ${id}]` })
  return Object.defineProperty(fn, NAME, { value: { module, id, exported: false } satisfies TaskName }) as F &
    MadeByTask
}

/** How often a task was defined again on this thread: grows when a module of tasks is evaluated again. */
export function redefinitions(): number {
  return registry().redefinitions
}

/** Whether a module of tasks was evaluated again since `redefinitions()` gave a number. */
export function isRedefined(module: string, since: number): boolean {
  return (registry().redefined.get(module) ?? 0) > since
}

interface Registry {
  readonly tasks: Map<string, AnyFunction>
  /** Those defined in this turn of the event loop. */
  readonly current: Set<string>
  /** For each module that was evaluated again, the number of redefinitions at that time. */
  readonly redefined: Map<string, number>
  redefinitions: number
}

/** How `console.log()` shows a task. */
const SHOWN: unique symbol = Symbol.for('nodejs.util.inspect.custom')

/** On `globalThis`, so that two copies of this library in one program find each other's tasks. */
function registry(): Registry {
  const holder = globalThis as { [REGISTRY]?: Registry }
  return (holder[REGISTRY] ??= { tasks: new Map(), current: new Set(), redefined: new Map(), redefinitions: 0 })
}
const REGISTRY: unique symbol = Symbol.for('millrace.tasks')

function key(module: string, id: string): string {
  return `${module} ${id}`
}

function invalid(reason: string): TypeError {
  return invalidTask(`Cannot define a task as ${reason}`)
}
