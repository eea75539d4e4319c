/** Opens an input as text. Its first bytes, its name and the options tell its format and its encoding. */
import { AheadReader } from './ahead.js'
import type { Bytes } from './bytes.js'
import { brotli, gzip, zstd, type Compression } from './compression.js'
import { Decompressor } from './decompress.js'
import type { TextEncoding } from './encoding.js'
import { checkText, formatOf, isDecided, isMarkDecided, markOf, unreadable } from './format.js'
import { changedInput, type WatchedFile } from '../resume/identity.js'
import { fzstd } from './fzstd.js'
import { GzipFile } from './gzip-file.js'
import { MemberLog } from './members.js'
import { peek, prepend } from './peek.js'
import { ProgramReader } from './program.js'
import type { Reader } from './source.js'
import { isBrotliName } from './suffixes.js'
import type { TextPlace } from './text-place.js'
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
  /** Whether a file can be read from any offset of the text. */
  readonly isDirect: boolean
  /** The members of compressed data, if they can be read from each of them. */
  readonly members: MemberLog | undefined
}

/** How a file is read that a later run may have to read again. */
export interface TextAccess {
  readonly watch: WatchedFile
  /** Where an earlier run was. */
  readonly from: TextPlace | undefined
}

type Opened = (input: Reader<Buffer>) => boolean

/** `opened` takes what is open, to close it; it gives false if that has happened: nothing more is opened then. */
export async function openText(
  bytes: Bytes,
  options: TextOptions,
  opened: Opened,
  access?: TextAccess,
): Promise<OpenText | undefined> {
  const from = access?.from
  if (access === undefined || from === undefined) return openFromStart(bytes, options, opened, access)
  if (from.isDirect || canDecodeFrom(from)) return openDirectly(bytes, options, opened, { ...access, from })
  const open = await openFromStart(bytes, options, opened, access)
  const { transcoder, start = 0 } = open ?? {}
  const length = transcoder === undefined ? from.offset - start : from.offset
  const text = open && (await behind(open.text, length, () => opened(open.text), bytes.path, transcoder))
  return text && open && { ...open, text }
}

async function openFromStart(
  bytes: Bytes,
  options: TextOptions,
  opened: Opened,
  access: TextAccess | undefined,
): Promise<OpenText | undefined> {
  const { decompress } = options
  const source = bytes.open(undefined, access && { start: 0, watch: access.watch })
  let input: Reader<Buffer> = decompress === undefined ? source : new ProgramReader(decompress, source)
  opened(input)
  let compression: Compression | undefined
  let members: MemberLog | undefined
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
      if (access !== undefined && canReadAgain && compression.severalMembers && compression.name !== 'brotli')
        members = new MemberLog(compression.name)
      input =
        // It does not tell where members begin.
        canReadAgain && compression === gzip && members === undefined
          ? new GzipFile(input, readFrom)
          : new Decompressor(compression, input, readFrom, members)
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
  const isUtf = transcoder === undefined
  const isPlain = compression === undefined && decompress === undefined && source.readFrom?.(0) !== undefined
  return {
    text: transcoder ?? input,
    transcoder,
    start: mark.length,
    encoding: mark.input ?? text.blocks,
    isDirect: isPlain && isUtf,
    members: isUtf ? members : undefined,
  }
}

/** A file that can be read from the place, or from a member before it. */
async function openDirectly(
  bytes: Bytes,
  { text: { blocks } }: TextOptions,
  opened: Opened,
  { watch, from }: TextAccess & { readonly from: TextPlace },
): Promise<OpenText | undefined> {
  const { offset, start, isDirect, member } = from
  const source = bytes.open(undefined, { start: member?.compressed ?? offset, watch })
  const known = { transcoder: undefined, start, encoding: blocks, isDirect }
  if (!opened(source)) return undefined
  const compression = member && compressionNamed(member.format)
  if (member === undefined || compression === undefined) return { ...known, text: source, members: undefined }
  const members = new MemberLog(member.format)
  const readFrom = (offset: number): AsyncIterable<Buffer> | undefined => source.readFrom?.(offset)
  const input = new AheadReader(new Decompressor(compression, source, readFrom, members, member))
  opened(input)
  const text = await behind(input, offset - member.text, () => opened(input), bytes.path)
  return text && { ...known, text, members }
}

/** The text without its first bytes; undefined if it was closed meanwhile. */
async function behind(
  text: Reader<Buffer>,
  length: number,
  isOpen: () => boolean,
  path = '',
  transcoder?: Transcoder,
): Promise<Reader<Buffer> | undefined> {
  for (let passed = 0; passed < length;) {
    const result = await text.next()
    if (!isOpen()) return undefined
    if (result.done === true) throw changedInput(path, `have the ${length} bytes of text that were read`, `${passed}`)
    const left = length - passed
    if (result.value.length > left) return prepend(result.value.subarray(left), text)
    passed += result.value.length
    transcoder?.forget(passed)
  }
  return text
}

function canDecodeFrom({ member }: TextPlace): boolean {
  return member !== undefined && compressionNamed(member.format) !== undefined
}

function compressionNamed(format: 'gzip' | 'zstd'): Compression | undefined {
  return format === 'gzip' ? gzip : zstd()
}

/** The format of a compressed input. One that cannot be read is refused later, as other input that is not text. */
function compressionOf(head: Buffer, path: string | undefined): Compression | undefined {
  const name = formatOf(head)?.name
  if (name === 'gzip') return gzip
  if (name === 'zstd') return zstd() ?? fzstd()
  return name === undefined && path !== undefined && isBrotliName(path) ? brotli : undefined
}
