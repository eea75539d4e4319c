/** Help, the manual, completion, docs/cli.md and the README have the options of the table, and no others. */
import { readArguments } from '#dist/cli/arguments/parse.js'
import { OPTIONS } from '#dist/cli/arguments/table.js'
import { textOf as shown } from '#dist/cli/arguments/show.js'
import { EXAMPLES } from '#dist/cli/arguments/texts/examples.js'
import { textOf } from '../support/markdown.js'

const MAX_LINES = 60
const WIDTH = 80

const names = OPTIONS.map(({ name }) => `--${name}`).sort()
const letters = OPTIONS.flatMap(({ short }) => (short === undefined ? [] : [`-${short}`])).sort()

/** The options that a text defines at the start of its lines. */
function defined(text: string, line: RegExp): string[] {
  return Array.from(text.matchAll(line), ([, name = '']) => name).sort()
}

it('has no name and no letter twice', () => {
  expect(new Set(names).size).toBe(names.length)
  expect(new Set(letters).size).toBe(letters.length)
})

describe('-h', () => {
  const lines = shown('usage').trimEnd().split('\n')

  it(`has at most ${MAX_LINES} lines of ${WIDTH} columns`, () => {
    expect(lines.length).toBeLessThanOrEqual(MAX_LINES)
    expect(lines.filter((line) => line.length > WIDTH)).toEqual([])
  })

  it('has each option', () => {
    // Rare ones stand in a row with others.
    const options = shown('usage').replace(/^Examples[^]*/m, '')
    expect(new Set(defined(options, /(?<=^ {2}-\w, |^ {6}|and |, )(--[\w-]+)/gm))).toEqual(new Set(names))
    expect(defined(shown('usage'), /^ {2}(-\w), --/gm)).toEqual(letters)
  })
})

describe('--help', () => {
  const lines = shown('help').split('\n')

  it(`has lines of ${WIDTH} columns`, () => {
    expect(lines.filter((line) => line.length > WIDTH)).toEqual([])
    expect(lines.filter((line) => line !== line.trimEnd())).toEqual([])
  })

  it('has each option, and its default', () => {
    expect(defined(shown('help'), /^ {2}(?:-\w, )?(--[\w-]+)/gm)).toEqual(names)
    for (const { initial } of OPTIONS) {
      if (initial !== undefined) {
        expect(shown('help').replace(/\s+/g, ' ')).toContain(`Default: ${initial.replaceAll('`', '')}.`)
      }
    }
  })

  it('has ten examples', () => {
    expect(EXAMPLES).toHaveLength(10)
    for (const { command } of EXAMPLES) expect(shown('help')).toContain(command.split('\n')[0])
  })
})

it('--man has each option', () => {
  const page = shown('man').replaceAll('\\-', '-')
  expect(defined(page, /^\.TP\n\\fB(?:-\w, )?(--[\w-]+)/gm)).toEqual(names)
})

it('docs/cli.md has each option', () => {
  expect(defined(textOf('docs/cli.md'), /^\| `(?:-\w, )?(--[\w-]+)/gm)).toEqual(names)
})

it.each(['bash', 'zsh', 'fish'])('the completion of %s has each option', (shell) => {
  const text = shown('completion', shell)
  for (const name of names) expect(text).toMatch(new RegExp(`${shell === 'fish' ? `-l ${name.slice(2)}` : name}\\b`))
})

it('--version has the version of the package', () => {
  const { version } = JSON.parse(textOf('package.json')) as { version: string }
  expect(shown('version')).toBe(`millrace ${version}\n`)
})

it('-h has five examples', () => {
  const [, examples = ''] = shown('usage').split(/^Examples.*\n/m)
  for (const { command } of EXAMPLES.slice(0, 5)) expect(examples).toContain(`  ${command.replaceAll('\n', '\n  ')}\n`)
})

/** The words of a command of a shell, without its quotes. What is after a pipe is another command. */
function wordsOf(command: string): string[] {
  return Array.from(command.matchAll(/'([^']*)'|((?:[^\s'\\]|\\[^\n])+)/g), ([, quoted, bare]) => quoted ?? bare ?? '')
}

it.each(EXAMPLES.map(({ command }) => [command]))('takes the example %s', (command) => {
  const own = command.split(/(?<![|])[|](?![|])/).find((part) => part.includes('millrace'))
  const [, ...args] = wordsOf(own ?? '')
  expect(readArguments(args)).toHaveProperty('plan')
})

describe('the README', () => {
  const lines = Array.from(textOf('README.md').matchAll(/^npx (millrace .*?)(?: +#.*)?$/gm), ([, line = '']) => line)

  it('has command lines for files', () => {
    expect(lines.length).toBeGreaterThanOrEqual(3)
  })

  it.each(lines)('has one that is right: %s', (line) => {
    const [, ...args] = wordsOf(line)
    expect(readArguments(args)).toHaveProperty('plan')
  })
})
