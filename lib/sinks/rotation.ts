/** Paths of outputs with a number: `{n}` stands for that of the file, from 0. */

const PLACEHOLDER = '{n}'
/** So that paths that are sorted by their characters are in order. */
const DIGITS = 5

export function isNumbered(path: string): boolean {
  return path.includes(PLACEHOLDER)
}

export function numberedPath(path: string, number: number): string {
  return path.replaceAll(PLACEHOLDER, String(number).padStart(DIGITS, '0'))
}
