/**
 * Whether a class declares private fields (`#name`), which no clone has. Only the text of the class shows them. Private
 * methods are not state, and not counted.
 */
import { Script } from 'node:vm'
import { attempt } from '../errors.js'

const NAME = '#[\\p{ID_Start}$_][\\p{ID_Continue}$\\u200c\\u200d]*'
/** The text that follows the name of a field. */
const END = '(?=[ \\t]*[\\r\\n=;}]|\\s*[=;}])'
/** A field at the start of a line or behind another member, where comments and strings have been taken out. */
const FIELD = new RegExp(`(?<=[;{}\\r\\n]\\s*(?:accessor\\s+)?)${NAME}${END}`, 'gu')
/**
 * A field of a minified class. Comments and strings stay in this text, as an expression such as `/'/` may look like a
 * string.
 */
const DENSE_FIELD = new RegExp(`(?<=[;{}])${NAME}(?=[=;}])`, 'gu')
const TEXTS = /\/\/[^\n]*|\/\*[^]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g

/** The name of a private field of instances with this prototype, whichever class of the chain declares it. */
export function privateFieldOf(prototype: object): string | undefined {
  for (let at: object | null = prototype; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const constructor: unknown = Object.getOwnPropertyDescriptor(at, 'constructor')?.value
    const field =
      typeof constructor === 'function' ? declaredIn(Function.prototype.toString.call(constructor)) : undefined
    if (field !== undefined) return field
  }
  return undefined
}

function declaredIn(text: string): string | undefined {
  if (!text.startsWith('class') || !text.includes('#')) return undefined
  const names = new Set(
    [...text.replace(TEXTS, ' ').matchAll(FIELD), ...text.matchAll(DENSE_FIELD)].map(([name]) => name),
  )
  return [...names].find((name) => declares(text, name))
}

/** Whether the class itself, and not one inside it, declares the name: then it cannot be declared again. */
function declares(text: string, name: string): boolean {
  return !compiles(text) || !compiles(`${text.slice(0, -1)};${name}}`)
}

function compiles(text: string): boolean {
  return attempt(() => new Script(`(${text})`)) !== undefined
}
