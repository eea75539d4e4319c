/**
 * The references of pages. Each relative link leads to a file of the repository, each anchor to a heading, and each
 * `npm run` to a script of the package.
 */
import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { anchors, pages, prose, ROOT, textOf } from './support/markdown.js'

/** The targets of links and pictures that stay in the repository. */
function relativeLinks(markdown: string): string[] {
  return Array.from(prose(markdown).matchAll(/\]\(([^()\s]+)\)/g), ([, target = '']) => target).filter(
    (target) => !/^[a-z]+:/.test(target),
  )
}

it('finds pages and links', () => {
  expect(pages()).toEqual(expect.arrayContaining(['README.md', 'docs/errors.md', 'bench/README.md']))
  expect(relativeLinks(textOf('README.md')).length).toBeGreaterThan(10)
})

it.each(pages())('%s has no dead link', (page) => {
  const dead = relativeLinks(textOf(page)).filter((target) => {
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? page : normalize(join(dirname(page), path))
    if (!existsSync(ROOT + file)) return true
    return anchor !== undefined && !anchors(textOf(file)).has(anchor)
  })
  expect(dead).toEqual([])
})

it.each(pages().filter((page) => page !== 'CHANGELOG.md'))('%s names scripts that the package has', (page) => {
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }
  const named = Array.from(textOf(page).matchAll(/npm run (?:--?\S+ )*([a-z][\w:-]*)/g), ([, name = '']) => name)
  expect(named.filter((name) => !(name in scripts))).toEqual([])
})
