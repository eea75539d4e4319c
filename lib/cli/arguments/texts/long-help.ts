/** `--help`: the whole manual, for a terminal of 80 columns. */
import { DESCRIPTION, manual, NAME, USAGE } from './manual.js'
import { plain, type Block } from './section.js'

const WIDTH = 80
const INDENT = 2
/** Terms that are longer, with their indent, have their texts on the lines below them, at this column. */
const MAX_TERM = 12
const TEXT = 8

export function longHelp(): string {
  const about = [`millrace: ${NAME}.`, ...DESCRIPTION].map((text) => wrapped(text, 0))
  const usage = `Usage: ${USAGE.join('\n       ')}`
  const sections = manual().map(({ title, blocks }) => `${title}\n\n${blocks.map(shown).join('\n\n')}`)
  return `${[usage, ...about, ...sections].join('\n\n')}\n`
}

function shown(block: Block): string {
  if ('text' in block) return wrapped(block.text, INDENT)
  if ('terms' in block) {
    const terms = block.terms.map(([term, text]) => [plain(term), text] as const)
    const widest = INDENT + Math.max(...terms.map(([term]) => term.length))
    const column = widest > MAX_TERM ? TEXT : widest + 2
    return terms.map(([term, text]) => entry(term, text, column)).join('\n')
  }
  return block.examples
    .map(({ says, command }) => `${wrapped(`${says}:`, INDENT)}\n${indented(command, INDENT * 2)}`)
    .join('\n')
}

/** A term and its text share their first line if there is room. */
function entry(term: string, text: string, column: number): string {
  const body = wrapped(text, column)
  const left = `${' '.repeat(INDENT)}${term}`
  return left.length < column ? left + body.slice(left.length) : `${left}\n${body}`
}

function wrapped(text: string, indent: number): string {
  const lines = ['']
  for (const word of plain(text).split(' ')) {
    const last = lines.at(-1) ?? ''
    const isFull = last.length + 1 + word.length > WIDTH - indent
    if (last !== '' && isFull) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return indented(lines.join('\n'), indent)
}

function indented(text: string, indent: number): string {
  return text.replace(/^/gm, ' '.repeat(indent))
}
