/** Numbers, times and names as text for a terminal, and how many columns text takes there. */

/** `2747282505` to `2,747,282,505`. `Intl` would take a millisecond to load. */
export function integer(n: number): string {
  return Math.round(n)
    .toString()
    .replace(/\B(?=(?:\d{3})+$)/g, ',')
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB']

/** `2747282505` to `2.75 GB`: three digits, in powers of 1,000. */
export function bytes(n: number): string {
  const unit = unitOf(n)
  return `${inUnit(n, unit)} ${UNITS[unit] ?? ''}`
}

/** `1.2 of 2.9 GB`, or `900 kB of 2.9 GB`. */
export function bytesOf(part: number, total: number): string {
  const [small, large] = [unitOf(part), unitOf(total)]
  return `${small === large ? inUnit(part, small) : bytes(part)} of ${bytes(total)}`
}

function unitOf(n: number): number {
  let unit = 0
  // 999.5 would round to 1,000 of the smaller unit.
  for (let value = n; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1000
  return unit
}

function inUnit(n: number, unit: number): string {
  const value = n / 1000 ** unit
  return unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toPrecision(3)
}

/** A count and its noun: `1 item`, `2 items`. */
export function plural(n: number, noun: string): string {
  return `${integer(n)} ${noun}${n === 1 ? '' : 's'}`
}

/** A share from 0 to 1 as `41 %`. Only all of it is 100 %. */
export function percent(share: number): string {
  return `${Math.min(share === 1 ? 100 : 99, Math.floor(share * 100)).toFixed(0)} %`
}

/** `950` to `0.95 s`, `80000` to `1 min 20 s`: two units at most. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`
  return wholeSeconds(seconds)
}

/** A duration in whole seconds, for times that change while somebody reads them. */
export function roughDuration(milliseconds: number): string {
  return wholeSeconds(milliseconds / 1000)
}

function wholeSeconds(given: number): string {
  const seconds = Math.round(given)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return withRest(minutes, 'min', seconds % 60, 's')
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return withRest(hours, 'h', minutes % 60, 'min')
  return withRest(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

function withRest(n: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${n} ${unit}` : `${n} ${unit} ${rest} ${restUnit}`
}

/**
 * A name from outside, safe to print and in one line. Control characters, which could take over a terminal, are shown
 * as escapes. So are characters that reorder text, and half of a surrogate pair.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

/** Characters that take two columns: of East Asian scripts, and emoji. */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
/** Characters that take none. */
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]$/u
const ASCII = /^[\x20-\x7e]*$/

/** How many columns text takes in a terminal. Where terminals differ, it is the larger number. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length
  let width = 0
  for (const character of text) width += columnsOf(character)
  return width
}

function columnsOf(character: string): number {
  if (ZERO.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

/** At most `width` columns. Where there are more, an ellipsis takes the place of the middle: both ends tell something. */
export function fit(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  if (width < 1) return ''
  const characters = splitCharacters(text)
  const tail = take(characters.toReversed(), Math.floor((width - 1) / 2)).toReversed()
  const head = take(characters, width - 1 - widthOf(tail.join('')))
  return `${head.join('')}…${tail.join('')}`
}

/** As the reader sees them: a letter and its accents are one. */
function splitCharacters(text: string): string[] {
  return Array.from(new Intl.Segmenter('en').segment(text), ({ segment }) => segment)
}

/** The first ones that have room in this many columns. */
function take(characters: readonly string[], width: number): string[] {
  const taken: string[] = []
  let left = width
  for (const character of characters) {
    left -= widthOf(character)
    if (left < 0) break
    taken.push(character)
  }
  return taken
}

/** A bar of eighths of a column, for a share from 0 to 1. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.max(0, Math.min(1, share)) * width * 8)
  const full = Math.floor(eighths / 8)
  const rest = ' ▏▎▍▌▋▊▉'.charAt(eighths % 8)
  return `${'█'.repeat(full)}${full < width ? rest : ''}`.padEnd(width)
}
