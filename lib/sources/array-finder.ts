/**
 * Finds the array of a JSON document whose elements are wanted: at the top, or by a path of keys. It looks at the bytes
 * before the array, and at those behind it. What it steps over is not parsed: only strings and brackets count.
 */
import { decodeText } from '../codec/line-text.js'
import { attempt, received } from '../errors.js'
import type { Json } from '../resume/mark.js'

const QUOTE = 34
const COMMA = 44
const COLON = 58
const BACKSLASH = 92
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

/** What the bytes of a block were. */
export interface Step {
  /** How many of them were looked at. */
  readonly scanned: number
  /** Whether the next byte is the first one of the array. */
  readonly isFound: boolean
  /** What is wrong with the next byte. */
  readonly failure: string | undefined
}

/** What is expected next. `'value'` is one on the path, `'other'` one to step over. */
type Expected = 'value' | 'keyOrEnd' | 'key' | 'inKey' | 'colon' | 'other'

/** The bytes before the array. */
export class ArrayFinder {
  readonly #path: readonly string[]
  readonly #encoding: string
  #expected: Expected = 'value'
  /** How many keys of the path have been found. */
  #level = 0
  /** The bytes of a key so far; undefined if it is not the wanted one. */
  #key: number[] | undefined
  #isWanted = false
  /** Whether a backslash stands before the next byte of the key. */
  #isEscaped = false
  readonly #skip = new ValueSkipper()

  constructor(path: readonly string[], encoding: string) {
    this.#path = path
    this.#encoding = encoding
  }

  /** Looks at the next bytes, up to the array. */
  find(block: Uint8Array): Step {
    for (let at = 0; at < block.length; at++) {
      const byte = block[at] ?? 0
      if (this.#expected === 'other') at = this.#skip.to(block, at)
      else if (this.#expected === 'inKey') this.#addToKey(byte)
      else if (!isSpace(byte)) {
        if (this.#expected === 'value' && this.#level === this.#path.length && byte === OPEN_BRACKET) {
          return { scanned: at + 1, isFound: true, failure: undefined }
        }
        const failure = this.#take(byte)
        if (failure !== undefined) return { scanned: at, isFound: false, failure }
      }
      if (this.#expected !== 'other' || at >= block.length) continue
      const end = this.#skip.isAtEnd ? block[at] : undefined
      if (end === COMMA) this.#expected = 'key'
      else if (end !== undefined) return { scanned: at, isFound: false, failure: this.#missing(end) }
    }
    return { scanned: block.length, isFound: false, failure: undefined }
  }

  /** What must not be missing where the input ends. */
  get expectation(): string {
    return this.#level === this.#path.length ? this.#subject(this.#level, 'an array') : this.#missingKey()
  }

  /** Takes a byte outside of keys, spaces, and values to step over. @returns What is wrong with it. */
  #take(byte: number): string | undefined {
    switch (this.#expected) {
      case 'value': {
        const isLast = this.#level === this.#path.length
        if (isLast || byte !== OPEN_BRACE) return this.#wrongValue(byte, isLast)
        this.#expected = 'keyOrEnd'
        return undefined
      }
      case 'colon':
        if (byte !== COLON) return `a colon must follow a key: received ${shown(byte)}`
        this.#expected = this.#isWanted ? 'value' : 'other'
        if (this.#isWanted) this.#level++
        else this.#skip.begin()
        return undefined
      default:
        if (byte === CLOSE_BRACE && this.#expected === 'keyOrEnd') return this.#missing(byte)
        if (byte !== QUOTE) return `a key must begin with a quote: received ${shown(byte)}`
        this.#expected = 'inKey'
        this.#key = []
        return undefined
    }
  }

  #addToKey(byte: number): void {
    const key = this.#key
    if (byte === QUOTE && !this.#isEscaped) {
      this.#isWanted = key !== undefined && this.#textOf(key) === this.#path[this.#level]
      this.#expected = 'colon'
    } else if (key !== undefined) {
      key.push(byte)
      if (key.length > MAX_BYTES_PER_UNIT * (this.#path[this.#level] ?? '').length) this.#key = undefined
    }
    this.#isEscaped = !this.#isEscaped && byte === BACKSLASH
  }

  #textOf(key: readonly number[]): unknown {
    const text = decodeText(Buffer.from(key), this.#encoding)
    return attempt(() => JSON.parse(`"${text}"`) as unknown)
  }

  #wrongValue(byte: number, isLast: boolean): string {
    const cure =
      this.#path.length > 0 || byte !== OPEN_BRACE
        ? ''
        : " (for an array in an object: path: 'KEY'; for objects one behind the other: ndjson())"
    return `${this.#subject(this.#level, isLast ? 'an array' : 'an object')}: received ${shown(byte)}${cure}`
  }

  #missing(byte: number): string {
    return byte === CLOSE_BRACE
      ? `${this.#missingKey()}: received an object without it`
      : `a comma or a brace must follow a value: received ${shown(byte)}`
  }

  #missingKey(): string {
    const where = this.#level === 0 ? 'the document' : received(this.#path.slice(0, this.#level).join('.'))
    return `${where} must have the key ${received(this.#path[this.#level])}`
  }

  #subject(level: number, what: string): string {
    return `${level === 0 ? 'the document' : received(this.#path.slice(0, level).join('.'))} must be ${what}`
  }
}

/** A character of JSON can be written as `\u0000`. */
const MAX_BYTES_PER_UNIT = 6

/** Steps over a value, up to the comma, brace or bracket behind it. */
class ValueSkipper {
  isAtEnd = false
  #depth = 0
  #isInString = false
  #isEscaped = false

  begin(): void {
    this.#depth = 0
    this.#isInString = this.#isEscaped = this.isAtEnd = false
  }

  /** @returns Where the end of the value is in the block, or the block's end. */
  to(block: Uint8Array, start: number): number {
    for (let at = start; at < block.length; at++) {
      const byte = block[at] ?? 0
      const isText = this.#isEscaped
      this.#isEscaped = !isText && byte === BACKSLASH
      if (byte === QUOTE && !isText) this.#isInString = !this.#isInString
      else if (this.#isInString) continue
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#depth++
      else if (this.#depth > 0) {
        if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#depth--
      } else if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.isAtEnd = true
        return at
      }
    }
    return block.length
  }
}

/** Where the check of the bytes behind the array is: it can be stored as JSON. */
type DocumentEndState = Readonly<{ depth: number; isInString: boolean; isEscaped: boolean }>

/** The bytes behind the array: the objects around it must end, and then nothing must follow. */
export class DocumentEnd {
  #depth: number
  #isInString = false
  #isEscaped = false

  /** @param depth In how many objects the array is. */
  constructor(depth: number) {
    this.#depth = depth
  }

  /** How many objects or arrays are open. */
  get depth(): number {
    return this.#depth
  }

  get state(): DocumentEndState {
    return { depth: this.#depth, isInString: this.#isInString, isEscaped: this.#isEscaped }
  }

  /** Other bytes behind the array have been checked before. */
  goOn(state: Json): void {
    const { depth, isInString, isEscaped } = Object(state) as Partial<DocumentEndState>
    this.#depth = Number.isSafeInteger(depth) ? (depth ?? 0) : this.#depth
    this.#isInString = isInString === true
    this.#isEscaped = isEscaped === true
  }

  check(block: Uint8Array): Step {
    let at = 0
    for (; at < block.length; at++) {
      const byte = block[at] ?? 0
      if (this.#depth === 0) {
        if (!isSpace(byte)) return { scanned: at, isFound: false, failure: behind(byte) }
        continue
      }
      const isText = this.#isEscaped
      this.#isEscaped = !isText && byte === BACKSLASH
      if (byte === QUOTE && !isText) this.#isInString = !this.#isInString
      else if (this.#isInString) continue
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#depth++
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#depth--
    }
    return { scanned: at, isFound: false, failure: undefined }
  }
}

function behind(byte: number): string {
  return `nothing must follow the document: received ${shown(byte)} (for values one behind the other: ndjson())`
}

export function isSpace(byte: number): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9
}

function shown(byte: number): string {
  return byte > 32 && byte < 127
    ? received(String.fromCharCode(byte))
    : `the byte 0x${byte.toString(16).padStart(2, '0')}`
}
