/**
 * The table of docs/from-python.md: it has all names of Python's multiprocessing, and each name of this library in it
 * exists.
 */
import { readFileSync } from 'node:fs'
import * as core from 'millrace'
import * as multiprocessing from 'millrace/multiprocessing'
import ts from 'typescript'
import { declarations } from './support/declarations.js'
import { PYTHON_NAMES } from './fixtures/python-names.js'

/** A row: the names in its cell for Python, the names in its cell for this library, and the verdict. */
interface Row {
  readonly python: readonly string[]
  readonly ours: readonly string[]
  readonly remark: string
}

/** The text in code marks, without `new`, `await`, and brackets with their contents. */
function namesIn(cell: string): string[] {
  return Array.from(cell.matchAll(/`(?:new |await )?([\w.]+)[^`]*`/g), ([, name]) => name ?? '')
}

/** The rows of all tables that have the same head as this one. */
function rows(markdown: string): Row[] {
  const tables = markdown.split('\n| Python | here | |\n|---|---|---|\n').slice(1)
  const lines = tables.flatMap((text) => text.slice(0, text.indexOf('\n\n')).split('\n'))
  return lines.map((line) => {
    const [python = '', ours = '', remark = ''] = line.slice(2, -2).split(' | ')
    return { python: namesIn(python), ours: namesIn(ours), remark }
  })
}

/** The members of each class and interface that the built declarations export, by its name. */
function members(): Map<string, string[]> {
  return new Map(['millrace', 'millrace/multiprocessing'].flatMap(membersOf))
}

function membersOf(entry: string): [string, string[]][] {
  const { checker, exports } = declarations(entry)
  return exports.map((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    const properties = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
    return [exported.name, properties.map(({ name }) => name)]
  })
}

/** A file of the repository. Throws if it does not exist. */
function textOf(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
}

const table = rows(textOf('docs/from-python.md'))

describe('the table of docs/from-python.md', () => {
  it('has each public name of multiprocessing once', () => {
    const listed = table.flatMap(({ python }) => python)
    const times = new Map<string, number>()
    for (const name of listed) times.set(name, (times.get(name) ?? 0) + 1)
    expect(PYTHON_NAMES.length).toBeGreaterThan(200)
    expect(PYTHON_NAMES.filter((name) => !times.has(name))).toEqual([])
    expect([...times].filter(([, count]) => count > 1).map(([name]) => name)).toEqual([])
  })

  it('gives names that this library exports, or members of these', () => {
    const known = members()
    const wrong = table
      .flatMap(({ ours }) => ours)
      .filter((name) => {
        const [owner = '', member] = name.split('.')
        return member === undefined
          ? !(owner in core || owner in multiprocessing)
          : known.get(owner)?.includes(member) !== true
      })
    expect(wrong).toEqual([])
  })

  it('says for each row whether it is the same, better, different or missing', () => {
    const unsaid = table.filter(({ remark }) => !/^(Same|Better:|Differs:|None:)/.test(remark))
    expect(unsaid.map(({ python }) => python)).toEqual([])
    const none = table.filter(({ ours, remark }) => remark.startsWith('None:') && ours.length > 0)
    expect(none.map(({ python }) => python)).toEqual([])
  })

  it('names an existing test for each row that it calls better', () => {
    const better = table.filter(({ remark }) => remark.startsWith('Better:'))
    expect(better.length).toBeGreaterThan(5)
    for (const { python, remark } of better) {
      const named = Array.from(remark.matchAll(/`([\w./-]+\.test\.ts)`(?:: "([^"]+)")?/g))
      const missing = named.filter(([, file = '', title = '']) => !textOf(`test/${file}`).includes(title))
      expect([python, named.length > 0, missing]).toEqual([python, true, []])
    }
  })
})
