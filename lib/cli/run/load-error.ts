/** The error of a module that does not load, for the person who named it. */
import type { TaskLoadError } from '../../index.js'
import { LOADERS } from '../../worker/import-module.js'
import { UsageError } from '../usage-error.js'

export function usageErrorOf(error: TaskLoadError): UsageError {
  const [text = '', other] = error.message.split(LOADERS)
  const cure = other !== undefined ? `. ${TYPESCRIPT}` : COMMONJS.test(text) ? ES_MODULE : ''
  return new UsageError(`${text}${cure}`, { cause: error })
}

/** What Node says of an ES module that it takes as CommonJS, because its package.json says so. */
const COMMONJS = /: (?:Unexpected token 'export'|Cannot use import statement outside a module)$/
const ES_MODULE = ' (for an ES module: name it .mjs, or put "type": "module" into its package.json)'

/** The library's cure is for programs, which can choose the loaders of their Node. */
const TYPESCRIPT =
  // Undefined before Node 22.10.
  typeof Reflect.get(process.features, 'typescript') === 'string'
    ? 'Node takes the types out of TypeScript, and nothing else: compile the module if it has an enum, a namespace or a parameter property. The paths that it imports must end with .ts'
    : `Node ${process.version} does not load TypeScript: use Node 22.18 or later, or compile the module to JavaScript`
