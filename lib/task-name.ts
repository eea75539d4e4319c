/**
 * Reads the name of a task from a task argument. Its errors say what to pass instead. `task.ts` gives a function its
 * name, and `worker/load.ts` finds it.
 */
import { statSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { extname, isAbsolute } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { received, typeError } from './errors.js'
import { isThenable } from './thenable.js'

/** Where a worker finds a task. Plain data: it is sent to workers. */
export interface TaskName {
  /** URL of the module. */
  readonly module: string
  /** The id given to `task()`, or the name of the export. */
  readonly id: string
  /** Whether `id` is the name of an export, and not the id of a `task()`. */
  readonly exported: boolean
}

export const NAME: unique symbol = Symbol.for('millrace.task')

/**
 * The name that `task()` adds to a function. The function works as before. A function without it must be wrapped in
 * `task()`, or run with `workers: 0`.
 */
export interface MadeByTask {
  readonly [NAME]: TaskName
}

/** The name of a task handle or reference; `undefined` for a plain function. Throws for anything else. */
export function taskName(action: string, value: unknown): TaskName | undefined {
  if (typeof value === 'function') return (value as Partial<MadeByTask>)[NAME]
  if (isReference(value)) {
    const { module, export: id } = value
    if (typeof id === 'string' && id !== '') {
      const url = moduleUrl(module, (reason) => `Cannot ${action} as its task's ${reason}`)
      return { module: url, id, exported: true }
    }
  }
  throw invalidTask(
    `Cannot ${action} as its task must be made by task(import.meta.url, …) or be { module, export: 'name' }: ` +
      `received ${received(value)}${taskHint(value)}`,
  )
}

/** Whether a value has the shape `{ module, export }`. The two fields may still be wrong. */
export function isReference(value: unknown): value is { module: unknown; export: unknown } {
  return typeof value === 'object' && value !== null && 'module' in value && 'export' in value
}

/** Whether a value was made by `task()`. */
export function isMadeByTask(value: unknown): value is MadeByTask {
  return typeof value === 'function' && (value as Partial<MadeByTask>)[NAME] !== undefined
}

/**
 * The error for a plain function that threads should run.
 *
 * @param otherwise Another cure, as the end of the text.
 */
export function plainFunctionError(
  action: string,
  fn: unknown,
  otherwise = ', or pass { workers: 0 } to run it on this thread',
): TypeError {
  return invalidTask(
    `Cannot ${action} as a plain function cannot be found by another thread: received ${received(fn)}. ` +
      `Write task(import.meta.url, 'name', (item) => …) at the top level of a module${otherwise}`,
  )
}

/**
 * The URL of a task's module, from the argument that was passed for it.
 *
 * @param text Makes the text of the error from the reason.
 */
export function moduleUrl(module: unknown, text: (reason: string) => string): string {
  const url = module instanceof URL ? module.href : module
  if (typeof url === 'string') {
    if (/^(file:.*\/)?\[(eval|stdin|worker eval)/.test(url)) {
      throw invalidTask(
        text(`code from the command line has no file for workers to import: put it in a file. Received ${url}`),
      )
    }
    const known = /^(file|node|data):/.test(url) ? url : isAbsolute(url) ? pathToFileURL(url).href : undefined
    if (known !== undefined && !isFolder(known)) return known
  }
  throw invalidTask(
    text(
      `module must be import.meta.url, or __filename in CommonJS: received ${received(module)}${moduleHint(module, url)}`,
    ),
  )
}

export function invalidTask(message: string): TypeError {
  return typeError('ERR_INVALID_TASK', message)
}

/**
 * Workers could not import a folder, and would report it only then. A path with an extension is not looked up: it is
 * almost always a file.
 */
function isFolder(url: string): boolean {
  if (!url.startsWith('file:') || extname(url) !== '') return false
  try {
    return statSync(fileURLToPath(url), { throwIfNoEntry: false })?.isDirectory() === true
  } catch {
    // Not a path of this system: the import reports it.
    return false
  }
}

function moduleHint(module: unknown, url: unknown): string {
  if (typeof url !== 'string') {
    const isMeta = typeof (module as { url?: unknown } | null | undefined)?.url === 'string'
    return isMeta ? ' (pass its .url)' : ''
  }
  if (url.startsWith('file:') || isAbsolute(url)) return ' (a folder: pass import.meta.url, the URL of the file)'
  if (isBuiltin(url)) return ` (a module of Node: 'node:${url}')`
  if (/^\.{0,2}\/|\.[cm]?[jt]sx?$/.test(url)) {
    const relative = /^\.{0,2}\//.test(url) ? url : `./${url}`
    return ` (a file beside this one: new URL('${relative}', import.meta.url))`
  }
  return /^(@[\w.-]+\/)?[\w.-]+(\/[\w./-]+)?$/.test(url) ? ` (a package: import.meta.resolve('${url}'))` : ''
}

function taskHint(value: unknown): string {
  if (typeof value === 'string') {
    const isPath = /[./]/.test(value)
    return isPath ? ` (a function of a module: { module: new URL('${value}', import.meta.url), export: 'name' })` : ''
  }
  if (typeof value !== 'object' || value === null) return ''
  if (isThenable(value)) return ' (a promise: await it first)'
  if (Symbol.iterator in value || Symbol.asyncIterator in value) return ' (a source: it comes after the task)'
  if ((value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === 'Module') {
    return ' (a whole module: pass one of its exports)'
  }
  return ''
}
