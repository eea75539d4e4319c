/** `-h`: one screen. */
import type { Option } from '../option.js'
import { GROUPS, shownOption, STAGES } from '../table.js'
import { EXAMPLES } from './examples.js'
import { NAME, USAGE } from './manual.js'
import { plain } from './section.js'

/** Where what an option does begins. */
const COLUMN = 27
const WIDTH = 80
const EXAMPLES_SHOWN = 5

export function shortHelp(): string {
  const groups = GROUPS.filter((group) => group !== STAGES)
  return [
    `Usage: ${USAGE.join('\n       ')}`,
    `${NAME}.`,
    '',
    'Stages, in the order given:',
    ...STAGES.options.map(row),
    'TASK is MODULE[#EXPORT]. EXPR sees d (the item), i (its index), file, record.',
    ...groups.flatMap(({ title, options }) => [`${title}:`, ...rows(options)]),
    'Exit codes: 0 done, 1 failed, 2 usage, 3 some failed, 4 too many, 5 no resume.',
    'Examples (millrace --help has all, and more on each option):',
    ...EXAMPLES.slice(0, EXAMPLES_SHOWN).flatMap(({ command }) => `  ${command.replaceAll('\n', '\n  ')}`.split('\n')),
    '',
  ].join('\n')
}

/** Those that are rarely needed share the last row. */
function rows(options: readonly Option[]): readonly string[] {
  const rare = options.filter(({ isRare }) => isRare === true).map(shownOption)
  const others = options.filter(({ isRare }) => isRare !== true).map(row)
  return rare.length === 0 ? others : [...others, `      and ${rare.join(', ')}`]
}

/** The default stands there if it has room. */
function row({ short, name, value, summary, initial }: Option): string {
  const left = `  ${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`
  const says = `${left.padEnd(COLUMN)} ${plain(summary)}`
  const whole = initial === undefined ? says : `${says} (default: ${plain(initial)})`
  return whole.length > WIDTH ? says : whole
}
