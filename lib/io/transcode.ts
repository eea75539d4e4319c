/** Text of encodings that cannot be cut at bytes, as UTF-8: a reader of its bytes in, a reader of UTF-8 out. */
import { NO_BYTES } from '../codec/line-end.js'
import { attempt } from '../errors.js'
import { DONE, type Reader } from './source.js'

/** Bytes that are not valid in the encoding. */
export interface Invalid {
  /** The first of them, as hexadecimal digits. */
  readonly byte: string
  /** Where in the input it stands. */
  readonly offset: number
}

export abstract class Transcoder implements Reader<Buffer> {
  /** With `fatal`, what ended the text. */
  invalid: Invalid | undefined
  protected ended = false
  readonly #input: Reader<Buffer>

  constructor(input: Reader<Buffer>) {
    this.#input = input
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    while (!this.ended) {
      const result = await this.#input.next()
      this.ended = result.done === true
      const text = this.decode(result.done ? NO_BYTES : result.value)
      if (text.length > 0) return { done: false, value: text }
    }
    return DONE
  }

  close(): unknown {
    return this.#input.close()
  }

  /** Where in the input a byte of the text stands, if that is known. */
  abstract inputOffset(textOffset: number): number | undefined
  /** `inputOffset()` will not be asked for bytes before this one. */
  abstract forget(textOffset: number): void
  protected abstract decode(bytes: Buffer): Buffer
}

/** `start` is where in the whole input the bytes begin. */
export function transcode(encoding: string, input: Reader<Buffer>, fatal: boolean, start: number): Transcoder {
  return encoding === 'utf-16le' || encoding === 'utf-16be'
    ? new Utf16Reader(input, encoding === 'utf-16be', fatal, start)
    : new DecodingReader(encoding, input, fatal, start)
}

const LONE_SURROGATE = /\p{Surrogate}/u

/** Needs no ICU, and knows where each character stood. */
class Utf16Reader extends Transcoder {
  readonly #swaps: boolean
  readonly #fatal: boolean
  /** A byte, or a surrogate, whose other half has not come yet. */
  #rest = NO_BYTES
  #inputOffset: number
  #textOffset = 0
  /** The last blocks given, and where they and their characters stand. */
  #given: { text: Buffer; textOffset: number; inputOffset: number }[] = []

  constructor(input: Reader<Buffer>, swaps: boolean, fatal: boolean, start: number) {
    super(input)
    this.#swaps = swaps
    this.#fatal = fatal
    this.#inputOffset = start
  }

  inputOffset(textOffset: number): number | undefined {
    const block = this.#given.find(({ text, textOffset: start }) => textOffset < start + text.length)
    if (block === undefined) return undefined
    return block.inputOffset + 2 * block.text.toString('utf8', 0, textOffset - block.textOffset).length
  }

  forget(textOffset: number): void {
    const isPast = ({ text, textOffset: start }: { text: Buffer; textOffset: number }): boolean =>
      start + text.length <= textOffset
    for (let first = this.#given[0]; first !== undefined && isPast(first); first = this.#given[0]) this.#given.shift()
  }

  protected decode(more: Buffer): Buffer {
    const bytes = Buffer.concat([this.#rest, more])
    let whole = bytes.length - (bytes.length % 2)
    const last = whole > 0 ? (bytes[whole - (this.#swaps ? 2 : 1)] ?? 0) : 0
    if (!this.ended && last >= 0xd8 && last <= 0xdb) whole -= 2
    const inputOffset = this.#inputOffset
    const units = bytes.subarray(0, whole)
    let text = (this.#swaps ? units.swap16() : units).toString('utf16le')
    this.#rest = bytes.subarray(whole)
    this.#inputOffset += whole
    if (this.#fatal) {
      const at = text.search(LONE_SURROGATE)
      if (at >= 0) text = this.#refuse(text, at, inputOffset)
      else if (this.ended && this.#rest.length > 0)
        this.invalid = { byte: this.#rest.toString('hex'), offset: this.#inputOffset }
    } else if (this.ended && this.#rest.length > 0 && !(last >= 0xd8 && last <= 0xdb)) {
      // Half a pair before it has been replaced already, together with it.
      text += '\ufffd'
    }
    const block = Buffer.from(text)
    if (block.length > 0) this.#given.push({ text: block, textOffset: this.#textOffset, inputOffset })
    this.#textOffset += block.length
    return block
  }

  #refuse(text: string, at: number, inputOffset: number): string {
    const unit = text.charCodeAt(at)
    this.invalid = {
      byte: (this.#swaps ? unit >> 8 : unit & 0xff).toString(16).padStart(2, '0'),
      offset: inputOffset + 2 * at,
    }
    this.ended = true
    return text.slice(0, at)
  }
}

class DecodingReader extends Transcoder {
  readonly #decoder: InstanceType<typeof TextDecoder>
  /** Only finds out whether a block is valid: after an error it cannot go on. */
  readonly #checker: InstanceType<typeof TextDecoder> | undefined
  #inputOffset: number

  constructor(encoding: string, input: Reader<Buffer>, fatal: boolean, start: number) {
    super(input)
    this.#decoder = new TextDecoder(encoding, { ignoreBOM: true })
    this.#checker = fatal ? new TextDecoder(encoding, { ignoreBOM: true, fatal: true }) : undefined
    this.#inputOffset = start
  }

  inputOffset(): undefined {
    return undefined
  }

  forget(): void {
    // There is nothing to forget.
  }

  protected decode(bytes: Buffer): Buffer {
    const options = { stream: !this.ended }
    const checker = this.#checker
    if (checker === undefined || attempt(() => checker.decode(bytes, options)) !== undefined) {
      this.#inputOffset += bytes.length
      return Buffer.from(this.#decoder.decode(bytes, options))
    }
    let text = ''
    let at = 0
    while (at < bytes.length && !text.includes('\ufffd')) {
      text += this.#decoder.decode(bytes.subarray(at, at + 1), { stream: true })
      at++
    }
    const invalid = Math.max(0, at - 1)
    this.invalid = { byte: bytes.toString('hex', invalid, invalid + 1), offset: this.#inputOffset + invalid }
    this.ended = true
    return Buffer.from(text.split('\ufffd', 1)[0] ?? '')
  }
}
