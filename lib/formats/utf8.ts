/** Writes text as UTF-8, one character after the other. For short text that is faster than a call of Node's encoder. */

const SURROGATES = 0xd800
const LOW_SURROGATES = 0xdc00
const AFTER_SURROGATES = 0xe000
const AFTER_ASCII = 0x80
const MINUS = 0x2d
const ZERO = 0x30

/** Takes the place of a surrogate that is alone, as in Node's encoder. */
export const REPLACEMENT = 0xfffd
/** As many bytes as one UTF-16 unit can take. */
export const MAX_BYTES_PER_UNIT = 3
/** As many characters as a number, `false` or a date can have. */
export const MAX_VALUE_LENGTH = 28
/** No room is made for longer strings: most of it would stay empty. Their records are formatted as text. */
export const MAX_STRING_LENGTH: number = 1024 * 1024

export function isSurrogate(unit: number): boolean {
  return unit >= SURROGATES && unit < AFTER_SURROGATES
}

/** Whether two units are one character. The second is NaN where there is none. */
export function isPair(unit: number, next: number): boolean {
  return unit >= SURROGATES && unit < LOW_SURROGATES && next >= LOW_SURROGATES && next < AFTER_SURROGATES
}

/** Writes two units that are one character. @returns The position behind it, as all of these functions. */
export function writePair(high: number, low: number, bytes: Uint8Array, at: number): number {
  const character = 0x1_0000 + ((high - SURROGATES) << 10) + (low - LOW_SURROGATES)
  bytes[at++] = 0xf0 | (character >> 18)
  bytes[at++] = 0x80 | ((character >> 12) & 0x3f)
  bytes[at++] = 0x80 | ((character >> 6) & 0x3f)
  bytes[at++] = 0x80 | (character & 0x3f)
  return at
}

/** Writes a unit that is not ASCII, and no surrogate. */
export function writeUnit(unit: number, bytes: Uint8Array, at: number): number {
  if (unit < 0x800) bytes[at++] = 0xc0 | (unit >> 6)
  else {
    bytes[at++] = 0xe0 | (unit >> 12)
    bytes[at++] = 0x80 | ((unit >> 6) & 0x3f)
  }
  bytes[at++] = 0x80 | (unit & 0x3f)
  return at
}

export function writeAscii(text: string, bytes: Uint8Array, at: number): number {
  for (let index = 0; index < text.length; index++) bytes[at++] = text.charCodeAt(index)
  return at
}

/** Writes text of any characters. */
export function writeText(text: string, bytes: Uint8Array, at: number): number {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < AFTER_ASCII) bytes[at++] = unit
    else if (isPair(unit, text.charCodeAt(index + 1))) at = writePair(unit, text.charCodeAt(++index), bytes, at)
    else at = writeUnit(isSurrogate(unit) ? REPLACEMENT : unit, bytes, at)
  }
  return at
}

/** Writes a number as `String()` does. */
export function writeNumber(value: number, bytes: Uint8Array, at: number): number {
  return (value | 0) === value ? writeInteger(value, bytes, at) : writeAscii(String(value), bytes, at)
}

/** Writes an integer of 32 bits. */
function writeInteger(value: number, bytes: Uint8Array, at: number): number {
  let left = value
  if (left < 0) {
    bytes[at++] = MINUS
    left = -left
  }
  let end = at + 1
  for (let limit = 10; left >= limit; limit *= 10) end++
  for (let place = end - 1; place >= at; place--) {
    const next = Math.floor(left / 10)
    bytes[place] = ZERO + left - 10 * next
    left = next
  }
  return end
}

/** The code that writes a known text, for generated functions. */
export function codeToWrite(text: string): string {
  return Array.from(Buffer.from(text), (byte) => `bytes[at++] = ${byte}`).join('; ')
}
