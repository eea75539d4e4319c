/** Reads the Markdown pages of the repository, for the tests that compare them with the code. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. This file is in build/test/support/. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** A file of the repository. Throws if it does not exist. */
export function textOf(path: string): string {
  return readFileSync(`${ROOT}${path}`, 'utf8')
}

/** The pages that people read, as paths from the root. */
export function pages(): string[] {
  const folders = ['', 'docs/', 'examples/', 'test/', 'bench/']
  return folders.flatMap((folder) =>
    readdirSync(`${ROOT}${folder}`)
      .filter((name) => name.endsWith('.md'))
      .map((name) => folder + name),
  )
}

/** A page without its code blocks. */
export function prose(markdown: string): string {
  return markdown.replace(/^```.*?^```$/gms, '')
}

/** The headings of a page, without their `#`. */
export function headings(markdown: string): { depth: number; text: string }[] {
  return Array.from(prose(markdown).matchAll(/^(#+) (.+)$/gm), ([, marks = '', text = '']) => ({
    depth: marks.length,
    text,
  }))
}

/** The anchors that GitHub gives to the headings of a page. */
export function anchors(markdown: string): Set<string> {
  const found = new Set<string>()
  for (const { text } of headings(markdown)) {
    const anchor = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
    let unique = anchor
    for (let n = 1; found.has(unique); n++) unique = `${anchor}-${n}`
    found.add(unique)
  }
  return found
}

/** The first cells of the rows of all tables, and the others. */
export function tableRows(markdown: string): string[][] {
  return prose(markdown)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.slice(2, -2).split(' | '))
}
