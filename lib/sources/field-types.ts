/** The option `types`: what the text of fields becomes. */
import { types as kinds } from 'node:util'
import type { CsvType } from '../codec/records/format.js'
import { received, typeError } from '../errors.js'
import { isPlainObject, type OptionReader } from '../options.js'
import { nameOfTask, type NamedTask } from '../resume/code.js'
import { isMadeByTask, isReference, NAME, type MadeByTask } from '../task-name.js'

/** What a field can become. An empty field then is null. A task makes a value of the text. It must be synchronous. */
export type FieldType =
  | NumberConstructor
  | BigIntConstructor
  | BooleanConstructor
  | DateConstructor
  | (((text: string) => unknown) & MadeByTask)

/** The value that a field of a type has. */
export type FieldValue<T> = T extends NumberConstructor
  ? number | null
  : T extends BigIntConstructor
    ? bigint | null
    : T extends BooleanConstructor
      ? boolean | null
      : T extends DateConstructor
        ? Date | null
        : T extends (text: string) => infer R
          ? Exclude<R, PromiseLike<unknown>> | null
          : string

const TYPES: ReadonlyMap<unknown, CsvType> = new Map<unknown, CsvType>([
  [Number, 'number'],
  [BigInt, 'bigint'],
  [Boolean, 'boolean'],
  [Date, 'date'],
])

const TYPES_EXPECTED = 'Number, BigInt, Boolean, Date or a task'

/** The option `types`, by the names of the fields. */
export function fieldTypes(
  read: OptionReader<{ readonly types?: Readonly<Record<string, FieldType>> | undefined }>,
  action: string,
): Map<string, CsvType> {
  const types = read.value('types', `an object of ${TYPES_EXPECTED}`, isPlainObject) ?? {}
  return new Map(
    Object.entries(types).map(([name, given]: [string, unknown]) => {
      const type = TYPES.get(given) ?? (isMadeByTask(given) && !kinds.isAsyncFunction(given) ? given[NAME] : undefined)
      if (type !== undefined) return [name, type]
      throw typeError(
        'ERR_INVALID_OPTION',
        `Cannot ${action} as 'types.${name}' must be ${TYPES_EXPECTED}: received ${received(given)}${typeHint(given)}`,
      )
    }),
  )
}

/** How a type is named in what must be the same in a run that goes on. */
export function nameOfType(type: CsvType): string {
  return typeof type === 'string' ? type : nameOfTask(type)
}

/** The types that are tasks. */
export function tasksIn(types: Iterable<CsvType | undefined>): readonly NamedTask[] {
  return [...types].filter((type) => typeof type === 'object')
}

function typeHint(given: unknown): string {
  if (given === String) return ' (fields are strings without it)'
  if (isMadeByTask(given)) return ' (a task of a field must be synchronous: wait in the task that gets the rows)'
  if (typeof given === 'function' || isReference(given)) {
    return " (another thread must find it: task(import.meta.url, 'name', (text) => …) at the top level of a module)"
  }
  return ''
}
