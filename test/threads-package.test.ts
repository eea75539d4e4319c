/**
 * Only one file uses the package `threads`. (It is loaded by `require()`, which the rules of the floors do not see.)
 */
import { readdirSync, readFileSync } from 'node:fs'
import { ROOT } from './support/markdown.js'

it('is named in one file of lib/', () => {
  const files = readdirSync(`${ROOT}lib`, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const names = files.filter((file) =>
    /(?:from |\()'threads(?:\/[^']*)?'/.test(readFileSync(`${ROOT}lib/${file}`, 'utf8')),
  )
  expect(names).toEqual(['threads-package.ts'])
})
