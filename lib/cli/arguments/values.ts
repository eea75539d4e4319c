/** Reads the values of options. Each error says what is expected, and what was received. */
import type { TaskReference } from '../plan.js'
import { UsageError } from '../usage-error.js'
import { nearest } from './nearest.js'

/** The longest time that a timer of Node takes, in milliseconds. */
const MAX_TIME = 2 ** 31 - 1
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

export function wrong(as: string, expected: string, text: string): UsageError {
  return new UsageError(`${as} must be ${expected}: received '${text}'`)
}

export function integer(text: string, as: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN
  if (value >= min && value <= max) return value
  const bounds = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
  throw wrong(as, `an integer ${bounds}`, text)
}

/** In milliseconds. */
export function duration(text: string, as: string): number {
  const [, count, unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  const value = Math.round(Number(count) * (UNITS[unit] ?? NaN))
  if (value >= 1 && value <= MAX_TIME) return value
  throw wrong(as, 'a time such as 500 (milliseconds), 5s or 2m, at most 24 days', text)
}

const SIZES: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }

/** In bytes. */
export function size(text: string, as: string): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text) ?? []
  const value = Math.round(Number(count) * (SIZES[unit.toUpperCase()] ?? NaN))
  if (value >= 1 && Number.isSafeInteger(value)) return value
  throw wrong(as, 'a size such as 500K, 64M or 1G', text)
}

/** `N` or `P%`. */
export function limit(text: string, as: string): number | `${number}%` {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  const [, percent] = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text) ?? []
  if (percent !== undefined && Number(percent) <= 100) return `${Number(percent)}%`
  throw wrong(as, 'a number of items such as 100, or a share such as 5%', text)
}

/** A share of all, from 0 to 1: a number, or `P%`. */
export function share(text: string, as: string): number {
  const [, digits, percent] = /^(\d+(?:\.\d+)?|\.\d+)(%)?$/.exec(text) ?? []
  const value = Number(digits) / (percent === undefined ? 1 : 100)
  if (value <= 1) return value
  throw wrong(as, 'a share such as 0.01 or 1%', text)
}

export function choice<T extends string>(text: string, as: string, choices: readonly T[]): T {
  const found = choices.find((one) => one === text)
  if (found !== undefined) return found
  const meant = nearest(text.toLowerCase(), new Map(choices.map((one) => [one, one])))
  const expected = `one of ${choices.join(', ')}`
  if (meant === undefined) throw wrong(as, expected, text)
  throw new UsageError(`${as} must be ${expected}: received '${text}'. Did you mean ${meant}?`)
}

/** As `choice()`. NDJSON has two names, as its files have. */
export function format<T extends string>(text: string, as: string, choices: readonly T[]): T {
  return choice(text.toLowerCase() === 'jsonl' ? 'ndjson' : text, as, choices)
}

export function path(text: string, as: string): string {
  if (text !== '') return text
  throw wrong(as, 'the path of a file', text)
}

/** `MODULE#EXPORT`. A `#` in a path is possible, so the last one counts. */
export function task(text: string, as: string): TaskReference {
  const at = text.lastIndexOf('#')
  const module = at === -1 ? text : text.slice(0, at)
  const exported = at === -1 ? 'default' : text.slice(at + 1)
  if (module !== '' && exported !== '') return { text, module, exported }
  throw wrong(as, 'MODULE or MODULE#EXPORT, such as ./clean.js#slim', text)
}

/** `NAME=MODULE`. */
export function namedModule(text: string, as: string): { readonly name: string; readonly module: string } {
  const [, name, module] = /^([\p{ID_Start}$_][\p{ID_Continue}$]*)=(.+)$/su.exec(text) ?? []
  if (name !== undefined && module !== undefined) return { name, module }
  throw wrong(as, 'NAME=MODULE, such as path=node:path', text)
}

/** Names, separated by commas. */
export function names(text: string, as: string): readonly string[] {
  const found = text.split(',').map((name) => name.trim())
  if (found.includes('')) throw wrong(as, 'names separated by commas, such as id,amount', text)
  const twice = found.find((name, at) => found.indexOf(name) !== at)
  if (twice !== undefined) throw new UsageError(`${as} has '${twice}' twice: name each column once`)
  return found
}

/** `name=10,age=3` or `name=0-10,note=20-`: where each column begins, and behind its end. */
export function fixedColumns(text: string, as: string): Readonly<Record<string, readonly [number, number]>> {
  let at = 0
  const columns = text.split(',').map((column) => {
    const [, name, number, range, end = ''] = /^(.+)=(\d+)(-(\d*))?$/s.exec(column.trim()) ?? []
    const isRange = range !== undefined
    const start = isRange ? Number(number) : at
    at = isRange ? (end === '' ? Infinity : Number(end)) : at + Number(number)
    if (name !== undefined && start < at && Number.isSafeInteger(start)) return [name, [start, at]] as const
    throw wrong(as, 'fixed: and columns, such as fixed:name=10,age=3 or fixed:name=0-10,note=20-', text)
  })
  const twice = columns.find(([name], index) => columns.findIndex(([other]) => other === name) !== index)
  if (twice !== undefined) throw new UsageError(`${as} has '${twice[0]}' twice: name each column once`)
  return Object.fromEntries(columns)
}

/** One character of ASCII. Shells make it hard to type a tab. */
export function delimiter(text: string, as: string): string {
  const character = text === '\\t' || text === 'tab' ? '\t' : text
  if (/^[\t -~]$/.test(character) && character !== '"') return character
  throw wrong(as, "one character of ASCII, such as ';' or '\\t', but not '\"'", text)
}

/** Names of Node that `TextDecoder` does not know. */
const NODE_ENCODINGS = new Set(['utf8', 'latin1', 'utf16le', 'ucs2'])

export function encoding(text: string, as: string): string {
  if (NODE_ENCODINGS.has(text.toLowerCase())) return text
  try {
    return new TextDecoder(text).encoding
  } catch {
    throw wrong(as, 'an encoding such as utf8, latin1, windows-1252 or utf-16le', text)
  }
}

/** A program and its arguments. There is no shell. */
export function program(text: string, as: string): readonly string[] {
  const words = text.split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) throw wrong(as, 'a program and its arguments, such as "xz -dc"', text)
  const sign = /["'|<>;&$]/.exec(text)?.[0]
  if (sign === undefined) return words
  throw new UsageError(`${as} runs a program without a shell, so it cannot have ${sign}: received '${text}'`)
}

/** A column by its name. Everything else is an expression. */
export function partition(text: string, as: string): { readonly column: string } | { readonly expression: string } {
  if (text.trim() === '') throw wrong(as, 'a column such as country, or an expression over d', text)
  return /^[\p{L}\p{N}_ -]+$/u.test(text) ? { column: text } : { expression: text }
}

export function reportPath(text: string, as: string): string {
  if (/[^/\\]\.(?:html|svg|json)$/i.test(text)) return text
  throw wrong(as, 'a path that ends with .html, .svg or .json', text)
}
