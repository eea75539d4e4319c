/** The error of a module that does not load, for the person who named it. */
import type { TaskLoadError } from '../../index.js'
import { LOADERS } from '../../worker/import-module.js'
import { UsageError } from '../usage-error.js'

export function usageErrorOf(error: TaskLoadError): UsageError {
  const [text = '', other] = error.message.split(LOADERS)
  return new UsageError(other === undefined ? text : `${text}. ${TYPESCRIPT}`, { cause: error })
}

/** The library's cure is for programs, which can choose the loaders of their Node. */
const TYPESCRIPT =
  // Undefined before Node 22.10.
  typeof Reflect.get(process.features, 'typescript') === 'string'
    ? 'Node takes the types out of TypeScript, and nothing else: compile the module if it has an enum, a namespace or a parameter property. The paths that it imports must end with .ts'
    : `Node ${process.version} does not load TypeScript: use Node 22.18 or later, or compile the module to JavaScript`
