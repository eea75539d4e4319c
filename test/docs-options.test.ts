/** docs/options.md has each option of the verbs, of pools and of lines(), with its type, its default and its bounds. */
import ts from 'typescript'
import { headings, prose, textOf } from './support/markdown.js'

const page = textOf('docs/options.md')

/** The options of each interface in `file`, as the declarations have them. */
function optionsOf(file: string, ...interfaces: string[]): string[] {
  const source = ts.createSourceFile(file, textOf(file), ts.ScriptTarget.Latest, true)
  return interfaces.flatMap((name) => {
    const found = source.statements.filter(ts.isInterfaceDeclaration).find((one) => one.name.text === name)
    if (found === undefined) throw new Error(`Cannot find ${name} in ${file}`)
    return found.members.map((member) => member.name?.getText() ?? '')
  })
}

const verbs = 'lib/verbs/options.ts'
const sections: Readonly<Record<string, readonly string[]>> = {
  'Options of a stream': optionsOf(verbs, 'StreamOptions'),
  'Options of `retries`': optionsOf(verbs, 'RetryOptions'),
  'Options of `reduce`': optionsOf('lib/verbs/reduce.ts', 'ReduceOptions'),
  'Options of a pool': optionsOf('lib/pool.ts', 'PoolOptions'),
  'Options of `lines`': optionsOf('lib/io/lines.ts', 'LinesOptions'),
}

/** The names of the options that have a heading below the heading `section`. */
function described(section: string): string[] {
  const all = headings(page)
  const from = all.findIndex(({ text }) => text === section)
  const below = all.slice(from + 1)
  const end = below.findIndex(({ depth }) => depth <= 2)
  return below.slice(0, end === -1 ? undefined : end).map(({ text }) => /`(\w+)`/.exec(text)?.[1] ?? text)
}

it.each(Object.entries(sections))('%s: each has a heading, and there is no other', (section, options) => {
  expect(options.length).toBeGreaterThan(2)
  expect(described(section).sort()).toEqual([...options].sort())
})

it('gives the type, the default and the bounds of each', () => {
  const entries = prose(page).split(/^### /m).slice(1)
  const wrong = entries.filter((entry) => !/^[^\n]+\n\nType: .+ · Default: .+ · Bounds: .+\n\n\w/.test(entry))
  expect(entries).toHaveLength(Object.values(sections).flat().length)
  expect(wrong).toEqual([])
})
