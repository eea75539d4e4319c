/** `--man`: the manual as a page for `man`. */
import { MILLRACE_VERSION } from '../../../version.js'
import { DESCRIPTION, manual, NAME, USAGE } from './manual.js'
import type { Block } from './section.js'

/** When this text was last changed: a page must have a date, and a build must not depend on the day. */
const CHANGED = '2026-11-30'

export function manPage(): string {
  const lines = [
    `.TH MILLRACE 1 ${CHANGED} "millrace ${MILLRACE_VERSION}" "User Commands"`,
    '.SH NAME',
    `millrace \\- ${escaped(NAME)}`,
    '.SH SYNOPSIS',
    '.nf',
    ...USAGE.map(line),
    '.fi',
    '.SH DESCRIPTION',
    ...DESCRIPTION.flatMap((text, at) => [...(at > 0 ? ['.PP'] : []), ...sentences(text)]),
    ...manual().flatMap(({ title, blocks }) => [`.SH ${escaped(title.toUpperCase())}`, ...blocks.flatMap(shown)]),
  ]
  return `${lines.join('\n')}\n`
}

function shown(block: Block, at: number): readonly string[] {
  if ('text' in block) return [...(at > 0 ? ['.PP'] : []), ...sentences(block.text)]
  if ('terms' in block) {
    return block.terms.flatMap(([term, text]) => ['.TP', `\\fB${escaped(term)}\\fR`, ...sentences(text)])
  }
  return block.examples.flatMap(({ says, command }, number) => [
    ...(number > 0 ? ['.PP'] : []),
    ...sentences(`${says}:`),
    '.PP',
    '.RS 4',
    '.nf',
    ...command.split('\n').map(literal),
    '.fi',
    '.RE',
  ])
}

/** Each sentence begins a line, so that `man` sets the space after it. */
function sentences(text: string): readonly string[] {
  return text.split(/(?<=[.:]) (?=[A-Z\d`])/).map(line)
}

/** With code in bold. */
function line(text: string): string {
  const parts = text.split('`').map((part, at) => (at % 2 === 1 ? `\\fB${escaped(part)}\\fR` : escaped(part)))
  const lines = parts
    .join('')
    .replace(/(.{1,70})(?: |$)/g, '$1\n')
    .trimEnd()
    .split('\n')
  return lines.map(guarded).join('\n')
}

function literal(text: string): string {
  return guarded(escaped(text))
}

/** A dot at the start of a line would begin a request. */
function guarded(text: string): string {
  return text.replace(/^(?=[.])/, '\\&')
}

/** As ASCII: a program copies from the page what stands there. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll('`', '\\(ga')
}
