/**
 * What the regular expressions of a message may cost. To make one, V8 parses its source. A class of Unicode characters
 * takes up to half a millisecond of that, and a property of strings, such as all emoji, 20 milliseconds.
 */

/** Of the different expressions of a message together, in UTF-16 units. */
const MAX_SOURCE_LENGTH = 16_384
const MAX_CLASS_COST = 64
const COST_OF_STRINGS = 32

const CLASSES = /\\[pP]\{([^}]*)/g

export class ExpressionBudget {
  readonly #known = new Set<string>()
  #length = 0
  #classes = 0

  /** Takes an expression into account. @returns Whether the message may hold it. V8 parses equal ones once. */
  take(source: string, flags: string): boolean {
    const key = `${flags}/${source}`
    if (this.#known.has(key)) return true
    this.#length += source.length
    if (this.#length > MAX_SOURCE_LENGTH) return false
    for (const [, name = ''] of source.matchAll(CLASSES)) this.#classes += name.includes('Emoji') ? COST_OF_STRINGS : 1
    if (this.#classes > MAX_CLASS_COST) return false
    this.#known.add(key)
    return true
  }
}
