/** A hint for records that were read as lines, because nothing said what they are. */
import type { CommandPlan } from '../plan.js'
import type { Inputs } from './inputs.js'

const PROPERTY = /(?<![\p{ID_Continue}$.])d\??\.([\p{ID_Start}$_][\p{ID_Continue}$]*)/gu

/** Whether it is the error of code that has asked for a property of undefined. */
export function isOfAbsent(error: unknown): boolean {
  return error instanceof TypeError && error.message.includes('undefined')
}

/** Undefined if it is not wanted, if the format was given, or if the expressions ask for nothing that lines lack. */
export function formatHint({ input, stages, tell }: CommandPlan, { format }: Inputs): string | undefined {
  if (format !== 'lines' || input.format !== undefined || tell.isQuiet) return undefined
  // Nothing was asked for.
  if (input.head === 0) return undefined
  for (const { kind, work } of stages) {
    const asked = 'expression' in work ? Array.from(work.expression.matchAll(PROPERTY), ([, name = '']) => name) : []
    const absent = asked.find((name) => !(name in String.prototype))
    if (absent !== undefined) {
      return `each item is a line, which has no '${absent}'. If these are records, add their format, such as -i csv or -i ndjson`
    }
    // What comes out of it is no line any more.
    if (kind !== 'filter') return undefined
  }
  return undefined
}
