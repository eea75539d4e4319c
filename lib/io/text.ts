/** Opens an input as text. Its first bytes, its name and the options tell its format and its encoding. */
import { AheadReader } from './ahead.js'
import type { Bytes } from './bytes.js'
import { brotli, gzip, zstd, type Compression } from './compression.js'
import { Decompressor } from './decompress.js'
import type { TextEncoding } from './encoding.js'
import { checkText, formatOf, isDecided, isMarkDecided, markOf, unreadable } from './format.js'
import { fzstd } from './fzstd.js'
import { GzipFile } from './gzip-file.js'
import { peek, prepend } from './peek.js'
import { ProgramReader } from './program.js'
import type { Reader } from './source.js'
import { isBrotliName } from './suffixes.js'
import { transcode, type Transcoder } from './transcode.js'

export interface TextOptions {
  readonly text: TextEncoding
  readonly fatal: boolean
  /** Whether the first bytes tell what the input is. */
  readonly detect: boolean
  /** A program and its arguments: what it makes of the input is read. */
  readonly decompress?: readonly string[] | undefined
}

export interface OpenText {
  /** In the encoding of the blocks. */
  readonly text: Reader<Buffer>
  readonly transcoder: Transcoder | undefined
  /** Where in the (uncompressed) input the text begins. */
  readonly start: number
  readonly encoding: string
}

/** `opened` takes what is open, to close it; it gives false if that has happened: nothing more is opened then. */
export async function openText(
  bytes: Bytes,
  options: TextOptions,
  opened: (input: Reader<Buffer>) => boolean,
): Promise<OpenText | undefined> {
  const { decompress } = options
  const source = bytes.open()
  let input: Reader<Buffer> = decompress === undefined ? source : new ProgramReader(decompress, source)
  opened(input)
  let compression: Compression | undefined
  if (options.detect) {
    const head = await peek(input, isDecided)
    input = prepend(head, input)
    if (!opened(input)) return undefined
    const isFile = source.readFrom?.(0) !== undefined
    compression = compressionOf(head, decompress === undefined ? bytes.path : undefined)
    if (compression !== undefined) {
      // The output of a program cannot be read again.
      const readFrom = (offset: number): AsyncIterable<Buffer> | undefined =>
        decompress === undefined ? source.readFrom?.(offset) : undefined
      const canReadAgain = isFile && decompress === undefined
      input =
        canReadAgain && compression === gzip
          ? new GzipFile(input, readFrom)
          : new Decompressor(compression, input, readFrom)
    }
    // To read ahead of other sources has effects.
    if (isFile && (compression !== undefined || decompress !== undefined)) input = new AheadReader(input)
    opened(input)
  }
  const head = await peek(input, options.detect ? isDecided : isMarkDecided)
  const { text, fatal, detect } = options
  const mark = markOf(head, text, detect)
  if (detect) {
    const format = formatOf(head)
    if (format !== undefined) throw unreadable(format, compression?.name)
    if (mark.input === undefined) checkText(head, text)
  }
  input = prepend(head.subarray(mark.length), input)
  const transcoder = mark.input === undefined ? undefined : transcode(mark.input, input, fatal, mark.length)
  if (!opened(transcoder ?? input)) return undefined
  return { text: transcoder ?? input, transcoder, start: mark.length, encoding: mark.input ?? text.blocks }
}

/** The format of a compressed input. One that cannot be read is refused later, as other input that is not text. */
function compressionOf(head: Buffer, path: string | undefined): Compression | undefined {
  const name = formatOf(head)?.name
  if (name === 'gzip') return gzip
  if (name === 'zstd') return zstd() ?? fzstd()
  return name === undefined && path !== undefined && isBrotliName(path) ? brotli : undefined
}
