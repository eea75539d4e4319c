/** What to write instead, for those who know jq, awk or statements of JavaScript: by the text of an expression that is none. */

const NAME = String.raw`[\p{ID_Start}$_][\p{ID_Continue}$]*`
const CURES: readonly (readonly [RegExp, (...groups: readonly string[]) => string])[] = [
  [/^(?:\.{0,2}\/)\S*\.[cm]?[jt]s(?:#\S*)?$/, (module) => `for a module: -m ${module ?? ''}`],
  [/^(?:\.\[\]\s*\|\s*)?\.$/, () => 'the item is d'],
  // Names behind dots, and no operator.
  [
    new RegExp(String.raw`^(?:\.\[\]\s*\|\s*)?(\.${NAME}(?:\.${NAME})*)$`, 'u'),
    (_, path) => `the item is d: d${path ?? ''}`,
  ],
  [
    /^\.\[|^\.[^|]*\||\|\s*(?:\.|select\(|map\()|^(?:select|map)\(\s*\./,
    () => 'this is JavaScript, and not jq: the item is d',
  ],
  [/^\{?\s*print\b|\$\d/, () => 'this is JavaScript, and not awk: $1 is d.split(/\\s+/)[0]'],
  [/^return\s+(.*[^;\s])\s*;?$/s, () => "leave out 'return'"],
  [
    /^(?:const|let|var|if|for|while|switch|try|throw)\b|;\s*\S/,
    () => 'it is one expression: put statements into a function of a module, and give that by -m',
  ],
  [/;\s*$/, () => "leave out the ';'"],
  [
    new RegExp(String.raw`^\{\s*d\.(${NAME})\s*\}$`, 'u'),
    (_, name) => `an object is { ${name ?? ''}: d.${name ?? ''} }`,
  ],
]

/** @param column Where the fault was found, from 0, in the line of the text. */
export function syntaxCure(text: string, line: string, column: number): string {
  const trimmed = text.trim()
  for (const [pattern, cure] of CURES) {
    const groups = pattern.exec(trimmed)
    if (groups !== null) return ` (${cure(...groups)})`
  }
  const [, name] = new RegExp(String.raw`\bd\.(${NAME} +)$`, 'u').exec(line.slice(0, column)) ?? []
  const [rest] = new RegExp(String.raw`^${NAME}(?![\p{ID_Continue}$.([])`, 'u').exec(line.slice(column)) ?? []
  return name === undefined || rest === undefined ? '' : ` (for a name with a space: d["${name}${rest}"])`
}

/** An assignment in place of a comparison: everything is kept then. In brackets it is meant. */
export function isAssignment(text: string): boolean {
  return new RegExp(String.raw`^\s*${NAME}(?:\??\.${NAME}|\[[^\][]*\])*\s*=(?![=>])`, 'u').test(text)
}
