/** The encodings of text, by their names, and how each is read. */
import { decoderOf, isSingleByte } from '../codec/line-text.js'
import { attempt, rangeError, received, typeError } from '../errors.js'

/** How the text of an input becomes blocks that can be cut at bytes. */
export interface TextEncoding {
  /** In which the blocks are split and decoded: `'utf8'`, `'latin1'`, or one in which ASCII bytes are ASCII. */
  readonly blocks: string
  /** The encoding of the input, where that is not the one of the blocks: it is decoded before it is cut. */
  readonly input: string | undefined
  /** The end of a line, as bytes of the blocks. */
  readonly delimiter: Uint8Array | undefined
}

/** Names of Node that `TextDecoder` does not know. */
const NODE_NAMES: Readonly<Record<string, string>> = { utf16le: 'utf-16le', ucs2: 'utf-16le' }

/** A character of several bytes begins with a byte that is not ASCII, and goes on with bytes from 0x30 on. */
const MULTI_BYTE = /^(?:gbk|gb18030|big5|euc-jp|euc-kr|shift_jis)$/
const FIRST_TRAIL_BYTE = 0x30

/**
 * How text of an encoding is read.
 *
 * @throws `RangeError` for an unknown encoding, `TypeError` for a delimiter that cannot be written in it.
 */
export function textEncoding(
  action: string,
  label: string | undefined,
  delimiter: string | Uint8Array | undefined,
): TextEncoding {
  const name = encodingNamed(action, label ?? 'utf8')
  // A copy, because it is sent to workers: with a small Buffer, Node's whole pool would be sent.
  const bytes = typeof delimiter === 'string' ? undefined : delimiter && new Uint8Array(delimiter)
  if (name === 'utf8') return { blocks: name, input: undefined, delimiter: bytes ?? encoded(delimiter) }
  if (isSingleByte(name)) {
    return { blocks: name, input: undefined, delimiter: bytes ?? singleBytes(action, name, delimiter) }
  }
  const asBytes = bytes ?? encoded(delimiter)
  const isSafe = asBytes === undefined || (asBytes[0] ?? 0) < FIRST_TRAIL_BYTE
  if (MULTI_BYTE.test(name) && isSafe && (bytes !== undefined || asBytes?.every((byte) => byte < 0x80) !== false)) {
    return { blocks: name, input: undefined, delimiter: asBytes }
  }
  const text = bytes === undefined ? delimiter : new TextDecoder(name, { ignoreBOM: true }).decode(bytes)
  return { blocks: 'utf8', input: name, delimiter: encoded(text) }
}

function encodingNamed(action: string, label: string): string {
  const name = label.trim().toLowerCase()
  if (name === 'utf8' || name === 'latin1') return name
  try {
    const { encoding } = new TextDecoder(NODE_NAMES[name] ?? name)
    return encoding === 'utf-8' ? 'utf8' : encoding
  } catch (cause) {
    const error = rangeError(
      'ERR_INVALID_OPTION',
      `Cannot ${action} as 'encoding' must be 'utf8', 'latin1' or an encoding that TextDecoder knows: ` +
        `received ${received(label)}${hasAllEncodings() ? '' : ' (this Node has few of them: it was built without full ICU)'}`,
    )
    error.cause = cause
    throw error
  }
}

function hasAllEncodings(): boolean {
  return attempt(() => new TextDecoder('shift_jis')) !== undefined
}

/** Whether bytes are valid in an encoding. With `stream`, the last character may be incomplete. */
export function decodes(bytes: Uint8Array, encoding: string, stream: boolean): boolean {
  return attempt(() => new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream })) !== undefined
}

function encoded(text: string | Uint8Array | undefined): Uint8Array | undefined {
  return typeof text === 'string' ? new TextEncoder().encode(text) : text
}

function singleBytes(action: string, encoding: string, text: string | Uint8Array | undefined): Uint8Array | undefined {
  if (typeof text !== 'string') return text
  const decode = decoderOf(encoding)
  const bytes = Array.from({ length: 256 }, (_, byte) => byte)
  const characters = bytes.map((byte) => decode?.(Uint8Array.of(byte)) ?? String.fromCharCode(byte))
  return Uint8Array.from(text, (character) => {
    const byte = characters.indexOf(character)
    if (byte >= 0) return byte
    throw typeError(
      'ERR_INVALID_OPTION',
      `Cannot ${action} as 'delimiter' must be text that can be written in ${encoding}: received ${received(text)}`,
    )
  })
}

/** How text is read whose blocks are cut at any bytes of ASCII: other encodings with several bytes are decoded first. */
export function asciiSafe(text: TextEncoding): TextEncoding {
  const isSafe = text.blocks === 'utf8' || isSingleByte(text.blocks)
  return isSafe ? text : { blocks: 'utf8', input: text.blocks, delimiter: undefined }
}
