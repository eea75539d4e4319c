/** Expressions of the command line become functions. Their syntax was checked when the arguments were read. */
import { Script } from 'node:vm'

/** What an expression sees of its item, beside the item itself. */
export interface Seen {
  readonly index: number
  readonly file: string | undefined
  readonly record: number | undefined
}

export type Evaluate = (item: unknown, seen: Seen) => unknown

const FIELDS = { i: 'index', file: 'file', record: 'record' } as const

/** A name for the place of the item. */
export type PlaceName = keyof typeof FIELDS
export const PLACE_NAMES = Object.keys(FIELDS) as readonly PlaceName[]

/**
 * Whether a name may occur in an expression: a quick look at the text. It may say yes for a string, or for a parameter
 * of that name. It says no only if that is certain.
 */
export function mentions(expression: string, name: string): boolean {
  // A backslash may hide a letter of the name, and `eval` all of it.
  return expression.includes('\\u') || hasName(expression, 'eval') || hasName(expression, name)
}

/** One dot before it makes it a property, three are a spread. */
function hasName(expression: string, name: string): boolean {
  return new RegExp(`(?<![\\w$]|[^.]\\.)${name}(?![\\w$])`).test(expression)
}

/**
 * The function of an expression. It is asynchronous only if the expression awaits, because a promise for each item costs
 * more than most expressions.
 *
 * @param uses The names of its place that it uses.
 * @param modules What expressions see of modules, by name.
 */
export function compileExpression(
  expression: string,
  uses: readonly PlaceName[],
  modules: ReadonlyMap<string, unknown>,
): Evaluate {
  const parameters = ['d', ...uses].join(', ')
  const body = `'use strict'; return ${awaits(expression) ? 'async ' : ''}(${parameters}) => (\n${expression}\n)`
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the person at the shell has typed this code to be run
  const make = new Function(...modules.keys(), body) as (
    ...modules: unknown[]
  ) => (item: unknown, ...seen: unknown[]) => unknown
  const evaluate = make(...modules.values())
  const seen = uses.map((name) => FIELDS[name])
  // The place of a record is computed when it is asked for.
  if (seen.length === 0) return evaluate
  return (item, place) => evaluate(item, ...seen.map((field) => place[field]))
}

/** Whether it awaits, outside of functions that it contains. There alone the word is refused in a static block. */
export function awaits(expression: string): boolean {
  if (!mentions(expression, 'await')) return false
  try {
    new Script(`class C { static { (\n${expression}\n) } }`)
    return false
  } catch {
    return true
  }
}
