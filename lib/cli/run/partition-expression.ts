/**
 * The expression of `--partition`. It runs on the main thread, and sees a result: neither its index nor its file, and no
 * modules, as these run in workers alone.
 */
import { received } from '../../errors.js'
import { isThenable } from '../../thenable.js'
import { UsageError } from '../usage-error.js'
import { awaits, compileExpression, PLACE_NAMES } from './expression.js'
import { markStage } from './stage-mark.js'
import { usedNames } from './used-names.js'

const OPTION = '--partition'
const NOWHERE = { index: -1, file: undefined, record: undefined }

/** @param modules The names of modules, which it cannot use. @throws UsageError */
export function partitionBy(expression: string, modules: readonly string[]): (record: unknown) => string {
  if (awaits(expression)) throw new UsageError(`${OPTION} cannot await: compute the key in a stage before it`)
  const [name] = usedNames<string>(expression, [...PLACE_NAMES, ...modules])
  if (name !== undefined) {
    throw new UsageError(`${OPTION} sees a result as d, and not '${name}': compute the key in a stage before it`)
  }
  const evaluate = compileExpression(expression, [], new Map())
  const label = `${OPTION} ${expression}`
  return (record) => {
    try {
      return textOf(evaluate(record, NOWHERE))
    } catch (error) {
      throw markStage(error, label)
    }
  }
}

/** The name of a folder. */
function textOf(value: unknown): string {
  if (typeof value !== 'function' && !isThenable(value)) return String(value)
  throw new TypeError(`The result must be the name of a folder: received ${received(value)}`)
}
