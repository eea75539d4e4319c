/** docs/architecture.md: its floors are those of .dependency-cruiser.cjs, and each file it names exists. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ROOT, tableRows, textOf } from './support/markdown.js'

interface Rule {
  readonly name: string
  readonly from: { readonly path?: string }
}

const page = textOf('docs/architecture.md')
const { forbidden } = createRequire(import.meta.url)(`${ROOT}.dependency-cruiser.cjs`) as { forbidden: Rule[] }

/** The floors that have a rule, with the start of the paths of their files. */
const ruled = new Map(
  forbidden
    .filter(({ name }) => name.startsWith('layer-'))
    .map(({ name, from }) => [name.slice('layer-'.length), new RegExp(from.path ?? '$^')]),
)

function pathsIn(text: string): string[] {
  return Array.from(text.matchAll(/`((?:lib|test|docs|bench|scripts)\/[\w./-]*)`/g), ([, path = '']) => path)
}

const table = page.slice(page.indexOf('\n## Floors\n'), page.indexOf('\n## Glossary\n'))
const floors = new Map(tableRows(table).map(([name = '', files = '']) => [name, pathsIn(files)]))
floors.delete('floor')

it('names files and folders that exist', () => {
  const paths = pathsIn(page)
  expect(paths.length).toBeGreaterThan(80)
  expect(paths.filter((path) => !existsSync(ROOT + path))).toEqual([])
  expect(paths.filter((path) => path.endsWith('/') !== statSync(ROOT + path).isDirectory())).toEqual([])
})

it('has each floor that has a rule, and its files are those of the rule', () => {
  expect([...ruled.keys()].filter((name) => !floors.has(name))).toEqual([])
  const wrong = Array.from(floors).flatMap(([floor, paths]) =>
    paths.filter((path) => {
      const pattern = ruled.get(floor)
      return pattern !== undefined && !pattern.test(path.endsWith('/') ? `${path}any.ts` : path)
    }),
  )
  expect(wrong).toEqual([])
})

it('names each file and folder at the top of lib/', () => {
  const there = readdirSync(`${ROOT}lib`, { withFileTypes: true }).map((entry) =>
    entry.isDirectory() ? `lib/${entry.name}/` : `lib/${entry.name}`,
  )
  const named = new Set([...floors.values()].flat())
  expect(there.filter((path) => !named.has(path))).toEqual([])
})
