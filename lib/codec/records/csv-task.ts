/** Tasks that make values of the text of fields. They are called synchronously, so their modules are loaded before. */
import { definedTask, redefinitions } from '../../task.js'
import type { TaskName } from '../../task-name.js'
import { isThenable } from '../../thenable.js'
import type { CsvType, RecordFormat, RecordSegment } from './format.js'

export interface FieldTask {
  readonly id: string
  /** Calls the task. Throws what it throws, and an error if it is not loaded or not synchronous. */
  readonly call: (text: string) => unknown
}

/** A task whose module this thread has loaded. It is looked up again when a module of tasks was evaluated again. */
export function fieldTask(name: TaskName): FieldTask {
  let fn: ReturnType<typeof definedTask>
  let since: number | undefined
  const call = (text: string): unknown => {
    if (since !== redefinitions()) {
      fn = loaded(name)
      since = redefinitions()
    }
    const value = (fn as (text: string) => unknown)(text)
    if (isThenable(value)) throw notSynchronous(value)
    return value
  }
  return { id: name.id, call }
}

function loaded(name: TaskName): ReturnType<typeof definedTask> {
  const fn = definedTask(name)
  if (fn !== undefined) return fn
  // The name comes from a file of failed items. What a file of data names is not imported.
  throw new TypeError(`${name.module} is not loaded: import it in the module of the task that gets the rows`)
}

function notSynchronous(promise: PromiseLike<unknown>): TypeError {
  // A rejection that nobody handles would end the program. This error is told instead.
  promise.then(undefined, () => undefined)
  return new TypeError('it returned a promise, and must be synchronous: wait in the task that gets the rows')
}

/** The tasks that the fields of some records need, and that this thread has not loaded. */
export function tasksToLoad(segments: readonly RecordSegment[]): readonly TaskName[] {
  return segments.flatMap(({ format }) => typesOf(format).filter(isToLoad))
}

/** The same as whether `tasksToLoad()` gives any. It is asked for each chunk. */
export function needsTasks(segments: readonly RecordSegment[]): boolean {
  for (const { format } of segments) if (typesOf(format).some(isToLoad)) return true
  return false
}

/** Whether tasks make values of the fields of such records. */
export function hasTasks(format: RecordFormat): boolean {
  return typesOf(format).some((type) => typeof type === 'object')
}

const NO_TYPES: readonly undefined[] = []

function typesOf(format: RecordFormat): readonly (CsvType | undefined)[] {
  return format.kind === 'csv' || format.kind === 'fixed' ? format.types : NO_TYPES
}

function isToLoad(type: CsvType | undefined): type is TaskName {
  return typeof type === 'object' && definedTask(type) === undefined
}
