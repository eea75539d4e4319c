/** Decoding text that a Buffer cannot decode, by `TextDecoder`. */

/** Encodings, beside latin1, in which each byte is a character, and the bytes of ASCII are ASCII. */
const SINGLE_BYTE = /^(?:ibm866|iso-8859-.+|koi8-[ru]|macintosh|windows-(?:874|125\d)|x-mac-cyrillic)$/

export function isSingleByte(encoding: string): boolean {
  return encoding === 'latin1' || SINGLE_BYTE.test(encoding)
}

export type Decode = (bytes: Uint8Array) => string

/**
 * The characters of windows-1252 for the bytes 0x80 to 0x9f. All others are those of latin1. Node 20 takes these for
 * latin1, too.
 */
const WINDOWS_1252 =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178'

const CONTROLS = /[\x80-\x9f]/g

/** How an encoding is decoded; undefined for those that a Buffer knows. */
export function decoderOf(encoding: string): Decode | undefined {
  if (encoding === 'utf8' || encoding === 'latin1') return undefined
  if (encoding === 'windows-1252') {
    return (bytes) => {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
      return text.replace(CONTROLS, (character) => WINDOWS_1252.charAt(character.charCodeAt(0) - 0x80))
    }
  }
  const decoder = new TextDecoder(encoding, { ignoreBOM: true })
  return (bytes) => decoder.decode(bytes)
}

/** Text of any encoding, from memory that may be shared. */
export function decodeText(bytes: Buffer, encoding: string): string {
  const decode = decoderOf(encoding)
  // A copy, as not every decoder takes shared memory.
  return decode === undefined ? bytes.toString(encoding as BufferEncoding) : decode(Uint8Array.from(bytes))
}
