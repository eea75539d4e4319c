/** Numbers, tables and bars as text of a known width. */

const integers = new Intl.NumberFormat('en-US')

/** `2747282505` to `2,747,282,505`. */
export function integer(n: number): string {
  return integers.format(n)
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB']

/** `2747282505` to `2.75 GB`: three digits, in powers of 1,000. */
export function bytes(n: number): string {
  let unit = 0
  let value = n
  // 999.5 would round to 1,000 of the smaller unit.
  for (; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1000
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toPrecision(3)} ${UNITS[unit] ?? ''}`
}

/** A share of a total, as `2.20%`; nothing of nothing is 0. */
export function percent(part: number, total: number): string {
  return `${total === 0 ? '0.00' : ((100 * part) / total).toFixed(2)}%`
}

/**
 * Text from a log, safe to print and in one line. Control characters, which could take over a terminal, are shown as
 * escapes. Characters that reorder text are shown as escapes, too.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

/** At most `width` characters: where there are more, an ellipsis takes the place of the last ones. */
export function fit(text: string, width: number): string {
  const characters = Array.from(text)
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`
}

/** As `fit`, but an ellipsis takes the place of the middle: one end is as telling as the other. */
export function fitEnds(text: string, width: number): string {
  const characters = Array.from(text)
  if (characters.length <= width) return text
  const tail = Math.floor((width - 1) / 2)
  return `${characters.slice(0, width - 1 - tail).join('')}…${characters.slice(characters.length - tail).join('')}`
}

/** Rows of cells in columns, two spaces apart; `>` aligns a column right, `<` left. */
export function table(rows: readonly (readonly string[])[], alignment: string): string[] {
  const widths = Array.from(alignment, (_, column) => Math.max(0, ...rows.map((row) => lengthOf(row[column] ?? ''))))
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const padding = ' '.repeat((widths[column] ?? 0) - lengthOf(cell))
        return alignment[column] === '>' ? padding + cell : cell + padding
      })
      .join('  ')
      .trimEnd(),
  )
}

/** A bar of eighths of a character; something, however little, is at least one eighth. */
export function bar(part: number, total: number, width: number): string {
  if (part === 0) return ''
  const eighths = Math.max(1, Math.round((8 * width * part) / total))
  return '█'.repeat(Math.floor(eighths / 8)) + ' ▏▎▍▌▋▊▉'.charAt(eighths % 8).trim()
}

function lengthOf(text: string): number {
  return Array.from(text).length
}
