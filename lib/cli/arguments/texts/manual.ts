/** The whole manual, as sections. Options come from the table. */
import { listed, type Option, type OptionGroup } from '../option.js'
import { GROUPS, OPTIONS, optionNamed, shownName } from '../table.js'
import { EXAMPLES } from './examples.js'
import type { Section } from './section.js'

export const USAGE: readonly string[] = [
  'millrace [OPTION]... [STAGE]... [--] [FILE | GLOB | URL | -]...',
  'millrace worker | setup | hosts | check [--help]',
]

export const NAME = 'JavaScript over files, on all cores, in order'

export const DESCRIPTION: readonly string[] = [
  'It reads records from files, runs each of them through stages, and writes the results in the order of the records. Workers parse, run the stages and format on all cores. Memory stays flat for an input of any length.',
  'Stages run in the order in which they are given. Without a stage, records are written as they are: in another format, or with some of their columns.',
]

const BEFORE_OPTIONS: readonly Section[] = [
  {
    title: 'Expressions',
    blocks: [
      {
        text: '`EXPR` is an expression of JavaScript. It may `await`. Each worker compiles it once. It is code, so never make it from data. It sees:',
      },
      {
        terms: [
          ['d', 'The item: a line as a string, or a record.'],
          ['i', 'Its index, from 0, among the items that this stage gets.'],
          ['file', 'The path of its file, or its URL. The standard input has none.'],
          ['record', 'Its number in the file, from 1. The header of CSV is not counted.'],
          ['NAME', 'The module that `-M NAME=MODULE` gives.'],
        ],
      },
      {
        text: 'A stage after the first one whose expression uses `i` begins a second pass through the workers. `--rejects`, `--max-errors` and templates of `-o` need one pass, and are refused then.',
      },
      {
        text: 'Write the body of a function alone: `d.ok`, and not `d => d.ok`. A result that is a promise is awaited. A fault of syntax is shown with its place, before anything is read.',
      },
    ],
  },
  {
    title: 'Tasks',
    blocks: [
      {
        text: '`TASK` is `MODULE#EXPORT`: the path of a module, such as `./clean.js#slim`, or a package. Without `#EXPORT` it is the default export. The function gets the item. One that `task()` has made, with a second parameter, gets `{ index, file, record, signal }` there. In a later pass, `index` counts what that pass gets. Modules in TypeScript need Node 22.18 or later, which takes their types out.',
      },
    ],
  },
  {
    title: 'Input and output',
    blocks: [
      {
        text: 'The suffix of a file says how it is read: `.csv`, `.tsv`, `.ndjson` or `.jsonl`, and `.json` for an array. All other files are read as lines. Gzip and zstd are recognised by their first bytes, brotli by the suffix `.br`. Without a file, or for `-`, the standard input is read. Quote a glob if you want millrace to expand it.',
      },
      {
        text: 'Results go to the standard output: strings as they are, other values as JSON, one on each line. With `-o` they go to a file, in the format of its suffix. Nothing else goes to the standard output. What your modules print there, by `console.log` or `process.stdout`, goes to the standard error, as they print it.',
      },
    ],
  },
]

const AFTER_OPTIONS: readonly Section[] = [
  {
    title: 'Exit status',
    blocks: [
      {
        terms: [
          ['0', 'Done. Also when the reader of the standard output ends early, as `head` does.'],
          [
            '1',
            'It failed: an input, the output, or an item. No file is written. With `--resume`, what was done stays.',
          ],
          ['2', 'It was called in a wrong way. Nothing was read.'],
          ['3', 'Done, but some items were rejected or skipped.'],
          ['4', 'It gave up at `--max-errors`. No file is written.'],
          [
            '5',
            'With `--resume`: it cannot go on. The command, a module, an input or the unfinished output has changed, or another run is at work. Nothing was changed.',
          ],
        ],
      },
      {
        text: 'The first SIGINT, SIGTERM or SIGHUP ends the run cleanly, and removes unfinished files. With `--resume`, it keeps them, and makes a last checkpoint if that takes at most two seconds. The exit status is then that of the signal. The second one ends it at once. Only a `merge` or `finish` of a fold that never ends must be stopped by SIGKILL: it keeps the main thread from seeing signals. SIGUSR2 prints how far the run is.',
      },
    ],
  },
  {
    title: 'Commands for clusters',
    blocks: [
      {
        text: 'The first argument can be `worker`, `setup`, `hosts` or `check`. These commands are about streams on other machines. Each has its own `--help`, and other exit codes than those above. They end with 0 if all is well. They end with 1 if they were called in a wrong way, or a module does not load. They end with 2 if the server refuses something, or cannot be reached. For a file with such a name, write `./worker`.',
      },
    ],
  },
  { title: 'Examples', blocks: [{ examples: EXAMPLES }] },
]

export function manual(): readonly Section[] {
  return [...BEFORE_OPTIONS, ...GROUPS.map(sectionOf), ...AFTER_OPTIONS]
}

function sectionOf({ title, options }: OptionGroup): Section {
  return { title, blocks: [{ terms: options.map((option) => [term(option), described(option)] as const) }] }
}

/** Every way to write it: `-o, --output FILE`. */
export function term({ short, name, value }: Option): string {
  return `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`
}

/** All that the table says of it, as sentences. */
function described({ name, summary, details, initial, needs = [], excludes = [], formats }: Option): string {
  const both = [...excludes, ...OPTIONS.filter((option) => option.excludes?.includes(name)).map(({ name }) => name)]
  const sentences = [`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`]
  if (details !== undefined) sentences.push(details)
  if (formats !== undefined) sentences.push(`Only for ${listed(formats.map(code))}.`)
  if (needs.length > 0) sentences.push(`Needs ${needs.map(named).join(' or ')}.`)
  if (both.length > 0) sentences.push(`Not with ${both.map(named).join(', ')}.`)
  if (initial !== undefined) sentences.push(`Default: ${initial}.`)
  return sentences.join(' ')
}

function named(name: string): string {
  return code(shownName(optionNamed(name)))
}

function code(text: string): string {
  return `\`${text}\``
}
