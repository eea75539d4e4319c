/** Finds a task's function on this thread: imports its module, once, and looks up the id. */
import { isNativeFunction } from '../codec/kinds.js'
import { received, TaskLoadError, typeError } from '../errors.js'
import { definedTask, type TaskName } from '../task.js'
import { importModule } from './import-module.js'
import type { JobKind, WorkerJob } from './protocol.js'

/** A task's function: called with an item and its context, or, as an initializer, with the arguments of one. */
export type TaskFunction = (...args: readonly unknown[]) => unknown

/** Imports the task's module and finds its function. Rejects with a `TaskLoadError` that names module and reason. */
export async function loadTask(name: TaskName): Promise<TaskFunction> {
  const namespace = await importModule(name)
  const fn: unknown = name.exported ? exportOf(namespace, name.id) : definedTask(name)
  if (typeof fn === 'function') return fn as TaskFunction
  const reason = name.exported
    ? `has no function exported as '${name.id}'`
    : `defines no task '${name.id}' when a worker imports it: call task() at the top level, outside if (isMainThread). ` +
      'A minifier or transformer may have removed or changed the name'
  throw new TaskLoadError(`Cannot run task '${name.id}' as ${name.module} ${reason}`)
}

/** A function of this thread may have no name. */
type ItemJob = Pick<WorkerJob, 'kind' | 'spread'> & { readonly name?: TaskName | undefined }

/**
 * The function as it is called with an item, or with an accumulator and an item. If `takesContext()`, it also gets a
 * context. Exported, native, bound and spread functions get none: they may take that argument for something else.
 */
export function forItems({ name, kind, spread }: ItemJob, fn: TaskFunction): TaskFunction {
  if (spread === true) return (item) => fn(...argumentsOf(item))
  if (!takesContext(kind, fn) || (name?.exported !== true && !isNativeFunction(fn))) return fn
  return kind === 'reduce' ? (accumulator, item) => fn(accumulator, item) : (item) => fn(item)
}

/** Whether a function made by `forItems()` gets a context: if it declares a parameter for it, without a default. */
export function takesContext(kind: JobKind, fn: TaskFunction): boolean {
  return fn.length > (kind === 'reduce' ? 2 : 1)
}

function argumentsOf(item: unknown): readonly unknown[] {
  if (Array.isArray(item)) return item
  throw typeError(
    'ERR_INVALID_ARGUMENTS',
    `Cannot call the task as its item must be an array of arguments: received ${received(item)}`,
  )
}

/**
 * Node sees only some exports of a CommonJS module as names. The others are properties of its default export. So is
 * `default`, if a compiler has written `exports.default`.
 */
function exportOf(namespace: object, id: string): unknown {
  const module = namespace as Partial<Record<string, unknown>>
  const { default: commonjs } = module
  const direct = Object.hasOwn(module, id) ? module[id] : undefined
  if (typeof direct === 'function') return direct
  if ((typeof commonjs !== 'object' && typeof commonjs !== 'function') || commonjs === null) return direct
  return Object.hasOwn(commonjs, id) ? (commonjs as Partial<Record<string, unknown>>)[id] : direct
}
