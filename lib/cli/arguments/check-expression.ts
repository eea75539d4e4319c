/** Checks the syntax of expressions before anything is read, and shows the place of a fault. */
import { Script } from 'node:vm'
import { UsageError } from '../usage-error.js'
import { syntaxCure } from './syntax-cure.js'

/** What each expression sees: the item, its index in the stage, the path of its file, its number in the file. */
export const EXPRESSION_NAMES = ['d', 'i', 'file', 'record'] as const

/** How much of a long line is shown, and how much of that stands before the fault. */
const SHOWN = 72
const BEFORE = 48
const FILE = 'expression'
/** An arrow function: the name of its only parameter, and its body. */
const ARROW =
  /^\s*(?:async\s*(?=[\p{ID_Start}$_(]))?(?:([\p{ID_Start}$_][\p{ID_Continue}$]*)|\([^()]*\))\s*=>\s*(.*)$/su

interface Fault {
  readonly message: string
  /** Both from 0. */
  readonly line: number
  readonly column: number
  /** It was found behind the text. */
  readonly isBehind: boolean
}

/**
 * @param as The option that it was given with.
 * @param modules The names of modules that it sees.
 * @throws UsageError
 */
export function checkExpression(text: string, as: string, modules: readonly string[]): void {
  if (text.trim() === '')
    throw new UsageError(`${as} needs an expression of JavaScript, such as d.length: received '${text}'`)
  // Brackets of two kinds: an expression that closes one kind and opens it again does not fit into the other.
  const inRound = faultIn('(', text, ')', modules)
  const inSquare = inRound === undefined || inRound.isBehind ? faultIn('[', text, ']', modules) : undefined
  // One of them may find only at its own end what the other finds in the text.
  const fault = inSquare?.isBehind === false ? inSquare : (inRound ?? inSquare)
  if (fault === undefined) {
    refuseFunction(text, as)
    return
  }
  const lines = text.split('\n')
  const place = lines.length > 1 ? `line ${fault.line + 1}, column ${fault.column + 1}` : `column ${fault.column + 1}`
  const line = lines[fault.line] ?? ''
  const cure = syntaxCure(text, line, fault.column)
  const what = `${as} must be an expression of JavaScript: ${fault.message}, at ${place}${cure}`
  throw new UsageError(`${what}\n${excerpt(line, fault.column)}`)
}

/** A function would be made for each item, and never called. @throws UsageError */
function refuseFunction(text: string, as: string): void {
  const [whole, , body = ''] = ARROW.exec(text) ?? []
  if (whole === undefined) return
  const isOfItem = /^\s*(?:async\b\s*)?(?:d|\(\s*d\s*\))\s*=>\s*[^{\s]/.test(text)
  const cure = isOfItem ? `write '${body.trim()}'` : `such as 'd.length'. Received '${text}'`
  throw new UsageError(`${as} takes the body of a function alone, in which d is the item: ${cure}`)
}

/** @throws UsageError */
export function checkModuleNames(names: readonly string[], as: string): void {
  for (const [at, name] of names.entries()) {
    if ((EXPRESSION_NAMES as readonly string[]).includes(name)) {
      const all = EXPRESSION_NAMES.join(', ')
      throw new UsageError(`${as} cannot name a module '${name}': expressions have ${all} already. Choose another name`)
    }
    if (names.indexOf(name) !== at) throw new UsageError(`${as} names two modules '${name}': choose another name`)
    if (faultIn('(', '0', ')', [name]) !== undefined) {
      throw new UsageError(`${as} cannot name a module '${name}', a word of JavaScript: choose another name`)
    }
  }
}

function faultIn(open: string, text: string, close: string, modules: readonly string[]): Fault | undefined {
  const names = [...EXPRESSION_NAMES, ...modules].join(', ')
  try {
    // The text begins on a separate line, which is line 1. A comment at its end ends with that line.
    new Script(`(async (${names}) => { 'use strict'; return ${open}\n${text}\n${close}})`, {
      filename: FILE,
      lineOffset: -1,
    })
    return undefined
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return placed(error, text.split('\n'))
  }
}

function placed({ message, stack = '' }: SyntaxError, lines: readonly string[]): Fault {
  const [, shownLine = '0', marks = ''] = /^expression:(\d+)\n.*\n(\s*)\^/.exec(stack) ?? []
  const line = Number(shownLine) - 1
  if (lines[line] !== undefined) return { message, line, column: marks.length, isBehind: false }
  // What follows the expression was not typed by anybody.
  const isShort = message.startsWith('Unexpected token')
  const last = lines.length - 1
  return { message: isShort ? 'Unexpected end' : message, line: last, column: lines[last]?.length ?? 0, isBehind: true }
}

/** The line, and a mark below the column. */
function excerpt(line: string, column: number): string {
  const from = Math.max(0, column - BEFORE)
  const cut = from > 0 ? '…' : ''
  // Other characters of control would change the terminal, and move the mark.
  const text = line.slice(from, from + SHOWN).replace(/\p{Cc}/gu, ' ')
  const before = Array.from(text.slice(0, column - from)).length + cut.length
  return `  ${cut}${text}\n  ${' '.repeat(before)}^`
}
