/** The README: short, and with the two commands that people copy. */
import { prose, textOf } from './support/markdown.js'

const MAX_WORDS = 1_200

/**
 * The words of a page. A word is a text between spaces with a letter or a digit. Code blocks, code in tables, HTML and
 * the targets of links do not count. Inline code in sentences counts.
 */
function words(markdown: string): string[] {
  return prose(markdown)
    .split('\n')
    .map((line) => (line.startsWith('|') ? line.replace(/`[^`]*`/g, '') : line))
    .join('\n')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\]\([^)]*\)/g, ' ')
    .split(/[\s|]+/)
    .filter((text) => /[\p{L}\p{N}]/u.test(text))
}

it('counts the words of sentences and tables, not those of code blocks', () => {
  expect(words('# One two\n\n```ts\nno\n```\n\n| three | `no no` four |\n[five `six`](no.md) <b>–</b> 7')).toHaveLength(
    7,
  )
})

it(`has at most ${MAX_WORDS} words`, () => {
  expect(words(textOf('README.md')).length).toBeLessThanOrEqual(MAX_WORDS)
})

it('has the two commands for a clone', () => {
  const lines = textOf('README.md').split('\n')
  expect(lines.some((line) => line.startsWith('npm ci && npm run demo '))).toBe(true)
  expect(lines.some((line) => line.startsWith('npm ci && npm test '))).toBe(true)
})
