/**
 * Naming a function, so that another thread can find it: by the URL of its module and an id within that module.
 * Nothing is imported or run here; `worker/load.ts` does that.
 */
import { isAbsolute } from 'node:path'
// Not the global one, which tests replace.
import { setImmediate } from 'node:timers'
import { pathToFileURL } from 'node:url'
import { received, typeError } from './errors.js'

/** What a task is told besides its item, if it declares a second parameter without a default. */
export interface TaskContext {
  /**
   * Fires when the stream ended early. A synchronous task may poll `signal.aborted`. Its `reason` is that of the stream's own `signal`,
   * copied as an error of a task is; an `AbortError` where the stream was left in another way.
   */
  readonly signal: AbortSignal
  /** The item's place in the source, from 0. */
  readonly index: number
  /** The worker's number in its pool, from 1; 0 on this thread (`workers: 0`). */
  readonly worker: number
}

/** Where a worker finds a task. Plain data: it is sent to workers. */
export interface TaskName {
  /** URL of the module. */
  readonly module: string
  /** The id given to `task()`, or the name of the export. */
  readonly id: string
  /** Whether `id` is the name of an export, and not the id of a `task()`. */
  readonly exported: boolean
}

const NAME: unique symbol = Symbol.for('millrace.task')
declare const SIGNATURE: unique symbol
declare const CALL: unique symbol

/** What `task()` adds to a function: its name. The function stays as it was. */
export interface Named {
  readonly [NAME]: TaskName
}

/** A function for items of type `I` that a worker can find. Made by `task()` or `tasks()`; call it like any function. */
export type Task<I, R> = ((item: I, context: TaskContext) => R) & Named

/**
 * A function that some module exports under a name: the way to run code in a module that nobody wants to touch.
 * `M` is the module's type and gives item and result their types.
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

/** A `TaskReference`, as the verbs take it: item and result types without their module. It is called with the item alone. */
export interface Exported<I, R> {
  /** The module: a `URL`, a `file:` or `node:` URL string, or an absolute path. */
  readonly module: string | URL
  /** The name under which the module exports the function. */
  readonly export: string
  readonly [SIGNATURE]?: (item: I) => R
}

/** Anything a worker can run for items of type `I`. */
export type TaskLike<I, R> = Task<I, R> | Exported<I, R>

/** A `TaskReference`, as the verbs take it that call it with several arguments. */
export interface ExportedCall<A extends readonly unknown[], R> {
  /** The module: a `URL`, a `file:` or `node:` URL string, or an absolute path. */
  readonly module: string | URL
  /** The name under which the module exports the function. */
  readonly export: string
  readonly [CALL]?: (...args: A) => R
}

/** Anything a worker can call with arguments of the types `A`, and with nothing more: it gets no `TaskContext`. */
export type TaskCall<A extends readonly unknown[], R> = (((...args: A) => R) & Named) | ExportedCall<A, R>

type AnyFunction = (...args: never[]) => unknown

/**
 * Makes a function into a task: worker threads import its module and find it there by its id. Items and results are copied:
 * the instance of a class arrives as a plain object with its own data fields, without methods and accessors. What would arrive
 * without its state, such as a `URL` or an instance with private fields, fails with a `NotSerializableError` (see docs/values.md).
 *
 * Call it at the top level of a module. Every worker that runs the task imports that module once, so keep other work
 * out of it, or behind `if (isMainThread)`.
 *
 * @param module `import.meta.url`; in CommonJS `__filename`.
 * @param fn The function, which may be async. Its name is the task's id. It gets the item, or what `starmap` and `apply` call it
 * with. It also gets a `TaskContext` if it declares a second parameter without a default, as a fold does with a third one
 * (`fn.length` tells). `(line, sep = ',')`, `...rest`, functions of the language such as `Math.max`, and bound functions get the
 * item alone: wrap those that want the context.
 * @returns The function itself, still callable, that the verbs now take.
 * @throws {TypeError} `ERR_INVALID_TASK`: no name, a name used twice in the module, or no file to import.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, task } from 'millrace'
 *
 * const square = task(import.meta.url, function square(x: number) {
 *   return x * x
 * })
 *
 * if (isMainThread) {
 *   for await (const y of imap(square, [1, 2, 3])) console.log(y)
 *   // → 1
 *   // → 4
 *   // → 9
 * }
 * ```
 */
export function task<F extends AnyFunction>(module: string | URL, fn: F): F & Named
/** As above, with an explicit id: for arrow functions, or names that a minifier changes. */
export function task<F extends AnyFunction>(module: string | URL, id: string, fn: F): F & Named
export function task<F extends AnyFunction>(module: string | URL, idOrFn: string | F, maybeFn?: F): F & Named {
  // First: who leaves it out has all else in the wrong place.
  const url = moduleUrl(module)
  const fn = typeof idOrFn === 'string' ? maybeFn : idOrFn
  if (typeof fn !== 'function') throw invalid(`its function must be a function: received ${received(fn)}`)
  const id = typeof idOrFn === 'string' ? idOrFn : fn.name
  if (id === '') {
    throw invalid("its function has no name: name it, or give an id, as in task(import.meta.url, 'shout', (x) => …)")
  }
  return define(url, id, fn)
}

/**
 * Makes several functions into tasks at once; the ids are the keys.
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
export function tasks<T extends Record<string, AnyFunction>>(
  module: string | URL,
  functions: T,
): { readonly [K in keyof T]: T[K] & Named } {
  const named = Object.entries(functions).map(([id, fn]) => [id, task(module, id, fn)])
  return Object.fromEntries(named) as { readonly [K in keyof T]: T[K] & Named }
}

/** The name of a task handle or reference; `undefined` for a plain function. Throws for anything else. */
export function taskName(action: string, value: unknown): TaskName | undefined {
  if (typeof value === 'function') return (value as Partial<Named>)[NAME]
  if (typeof value === 'object' && value !== null && 'module' in value && 'export' in value) {
    const { module, export: id } = value
    if (typeof id === 'string' && id !== '') return { module: moduleUrl(module), id, exported: true }
  }
  throw typeError(
    'ERR_INVALID_TASK',
    `Cannot ${action} as its task must be made by task(import.meta.url, …) or be { module, export: 'name' }: received ${received(value)}`,
  )
}

/**
 * The error for a plain function where threads are to run it.
 *
 * @param otherwise What else there is to do.
 */
export function plainFunctionError(
  action: string,
  fn: unknown,
  otherwise = ', or pass { workers: 0 } to run it on this thread',
): TypeError {
  return typeError(
    'ERR_INVALID_TASK',
    `Cannot ${action} as a plain function cannot be found by another thread: received ${received(fn)}. ` +
      `Write task(import.meta.url, function name(item) { … }) at the top level of a module${otherwise}`,
  )
}

/** The function that `task()` defined on this thread under a name, if its module has been imported here. */
export function definedTask(name: TaskName): AnyFunction | undefined {
  return registry().tasks.get(key(name.module, name.id))
}

function define<F extends AnyFunction>(module: string, id: string, fn: F): F & Named {
  const { [NAME]: known } = fn as F & Partial<Named>
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
  return Object.defineProperty(fn, NAME, { value: { module, id, exported: false } satisfies TaskName }) as F & Named
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
  /** For each module that was evaluated again, how many redefinitions there were by then. */
  readonly redefined: Map<string, number>
  redefinitions: number
}

/** On `globalThis`, so that two copies of this library in one program find each other's tasks. */
function registry(): Registry {
  const holder = globalThis as { [REGISTRY]?: Registry }
  return (holder[REGISTRY] ??= { tasks: new Map(), current: new Set(), redefined: new Map(), redefinitions: 0 })
}
const REGISTRY: unique symbol = Symbol.for('millrace.tasks')

function key(module: string, id: string): string {
  return `${module} ${id}`
}

function moduleUrl(module: unknown): string {
  const url = module instanceof URL ? module.href : module
  if (typeof url === 'string') {
    if (/^(file:.*\/)?\[(eval|stdin|worker eval)/.test(url)) {
      throw invalid(`code from the command line has no file for workers to import: put it in a file. Received ${url}`)
    }
    if (/^(file|node|data):/.test(url)) return url
    if (isAbsolute(url)) return pathToFileURL(url).href
  }
  throw invalid(`its module must be import.meta.url, or __filename in CommonJS: received ${received(module)}`)
}

function invalid(reason: string): TypeError {
  return typeError('ERR_INVALID_TASK', `Cannot define a task as ${reason}`)
}
