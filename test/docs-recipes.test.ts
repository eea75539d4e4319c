/** docs/recipes.md: ten programs, each with a plain version. Their lengths are those in the table. */
import { tableRows, textOf } from './support/markdown.js'

const page = textOf('docs/recipes.md')
const programs = new Map(
  Array.from(page.matchAll(/<!-- run: ([\w-]+)\.ts -->\n```ts\n(.*?)^```/gms), ([, name = '', code = '']) => [
    name,
    code,
  ]),
)
const recipes = Array.from(programs.keys()).filter((name) => programs.has(`plain-${name}`))

/** Lines of code: not empty, and not only a comment. */
function length(name: string): string {
  const lines = (programs.get(name) ?? '').split('\n').map((line) => line.trim())
  return `${lines.filter((line) => line !== '' && !line.startsWith('//')).length}`
}

it('has ten recipes, each with a plain version', () => {
  expect(recipes).toHaveLength(10)
  expect([...programs.keys()].sort()).toEqual(['inputs', ...recipes, ...recipes.map((name) => `plain-${name}`)].sort())
})

it('gives the lines of code of each', () => {
  const rows = tableRows(page).filter(([title = '']) => title.startsWith('['))
  const lengths = rows.map(([, ours, plain]) => [ours, plain?.trim()])
  expect(lengths).toEqual(recipes.map((name) => [length(name), length(`plain-${name}`)]))
})
