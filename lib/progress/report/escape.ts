/** Text from outside for HTML and XML. Names of files and messages of errors may contain anything. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/**
 * Text for an element or an attribute in quotes. Control characters, of which some must not stand in XML, and characters
 * that reorder text are shown as escapes.
 */
export function escaped(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff]/gu, (character) => {
      return character === '\n' ? ' ' : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
    })
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

/** Data as JSON for a `<script>` element: nothing in it can end the element, or begin a comment. */
export function jsonForScript(data: unknown): string {
  return JSON.stringify(data).replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
