/**
 * Shows the control characters of a text: text of data, of arguments and of modules could change the terminal.
 *
 * @param kept A control character that stays.
 */
export function escaped(text: string, kept = ''): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (character) => {
    if (character === kept) return character
    if (character === '\n') return '\\n'
    if (character === '\t') return '\\t'
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
