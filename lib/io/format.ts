/** Tells by the first bytes of an input whether it is compressed, text, or of another format. It reads nothing. */
import { brotliDecompressSync, constants, type BrotliOptions } from 'node:zlib'
import { InputError } from '../errors.js'
import { decodes, type TextEncoding } from './encoding.js'

/** A format that begins with certain bytes. Long enough that no text begins with them by accident. */
interface Format {
  readonly name: string
  /** Some bytes, each as a number; undefined is any byte. */
  readonly mark: readonly (number | undefined)[]
  /** A program that makes text of it: as the option `decompress` names it, or as a command for those that need a file. */
  readonly program: readonly string[] | string
  /** The source that reads it, instead of a program. */
  readonly source?: string
}

const ANY = undefined

const FORMATS: readonly Format[] = [
  { name: 'gzip', mark: [0x1f, 0x8b], program: ['gzip', '-dc'] },
  { name: 'zstd', mark: [0x28, 0xb5, 0x2f, 0xfd], program: ['zstd', '-dc'] },
  ...Array.from({ length: 16 }, (_, n) => ({
    name: 'zstd',
    mark: [0x50 + n, 0x2a, 0x4d, 0x18],
    program: ['zstd', '-dc'],
  })),
  { name: 'zip', mark: [...codes('PK'), 3, 4], program: 'unzip -p FILE' },
  { name: 'zip', mark: [...codes('PK'), 5, 6], program: 'unzip -p FILE' },
  { name: 'zip', mark: [...codes('PK'), 7, 8], program: 'unzip -p FILE' },
  { name: 'xz', mark: [0xfd, ...codes('7zXZ'), 0], program: ['xz', '-dc'] },
  {
    name: 'lzma',
    mark: [0x5d, 0, 0, ANY, ANY, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    program: ['xz', '-dc'],
  },
  { name: 'bzip2', mark: [...codes('BZh'), ANY, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59], program: ['bzip2', '-dc'] },
  { name: 'bzip2', mark: [...codes('BZh'), ANY, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90], program: ['bzip2', '-dc'] },
  { name: 'lz4', mark: [0x04, 0x22, 0x4d, 0x18], program: ['lz4', '-dc'] },
  { name: 'lz4', mark: [0x02, 0x21, 0x4c, 0x18], program: ['lz4', '-dc'] },
  { name: 'lzip', mark: [...codes('LZIP'), 1], program: ['lzip', '-dc'] },
  { name: 'lzop', mark: [0x89, ...codes('LZO'), 0, 0x0d, 0x0a, 0x1a, 0x0a], program: ['lzop', '-dc'] },
  { name: '7z', mark: [...codes('7z'), 0xbc, 0xaf, 0x27, 0x1c], program: '7z x -so FILE' },
  { name: 'rar', mark: [...codes('Rar!'), 0x1a, 7], program: 'unrar p -inul FILE' },
  { name: 'compress (.Z)', mark: [0x1f, 0x9d, 0x90], program: ['gzip', '-dc'] },
  { name: 'snappy', mark: [0xff, 6, 0, 0, ...codes('sNaPpY')], program: ['snzip', '-dc'] },
  // Behind the letters stands the header of the first page.
  { name: 'Parquet', mark: [...codes('PAR1'), 0x15], program: '', source: 'parquet()' },
  {
    name: 'SQLite',
    mark: [...codes('SQLite format 3'), 0],
    program: 'sqlite3 -csv -header FILE "SELECT * FROM TABLE"',
  },
  { name: 'UTF-32', mark: [0xff, 0xfe, 0, 0], program: ['iconv', '-f', 'utf-32', '-t', 'utf-8'] },
  { name: 'UTF-32', mark: [0, 0, 0xfe, 0xff], program: ['iconv', '-f', 'utf-32', '-t', 'utf-8'] },
]

const TAR_MARK = Buffer.from('ustar')
const TAR_OFFSET = 257

const UTF8_MARK = [0xef, 0xbb, 0xbf]
const UTF16LE_MARK = [0xff, 0xfe]
const UTF16BE_MARK = [0xfe, 0xff]
const TEXT_MARKS = [UTF8_MARK, UTF16LE_MARK, UTF16BE_MARK]

function codes(text: string): number[] {
  return [...Buffer.from(text)]
}

/** Whether more bytes would not change the format, so that a slow source need not be waited for. */
export function isDecided(head: Buffer): boolean {
  return isMarkDecided(head) && !FORMATS.some(({ mark }) => mayBegin(head, mark))
}

/** The same for the byte order mark alone. */
export function isMarkDecided(head: Buffer): boolean {
  return !TEXT_MARKS.some((mark) => mayBegin(head, mark))
}

/** Whether the bytes are fewer than the mark, and alike as far as they go. */
function mayBegin(head: Buffer, mark: readonly (number | undefined)[]): boolean {
  return head.length < mark.length && matches(head, mark.slice(0, head.length))
}

function matches(head: Buffer, mark: readonly (number | undefined)[]): boolean {
  return head.length >= mark.length && mark.every((byte, at) => byte === undefined || byte === head[at])
}

export function formatOf(head: Buffer): Format | undefined {
  const format = FORMATS.find(({ mark }) => matches(head, mark))
  if (format !== undefined) return format
  const isTar = head.subarray(TAR_OFFSET, TAR_OFFSET + TAR_MARK.length).equals(TAR_MARK)
  return isTar ? { name: 'tar', mark: [], program: ['tar', '-xOf', '-'] } : undefined
}

/** The length of the byte order mark, and the encoding of an input that is to be decoded before it is cut. */
export function markOf(
  head: Buffer,
  { blocks, input }: TextEncoding,
  detect: boolean,
): { length: number; input: string | undefined } {
  const isUtf16 = input === 'utf-16le' || input === 'utf-16be'
  if (isUtf16 || (detect && blocks === 'utf8' && input === undefined)) {
    if (matches(head, UTF16LE_MARK)) return { length: 2, input: 'utf-16le' }
    if (matches(head, UTF16BE_MARK)) return { length: 2, input: 'utf-16be' }
  }
  const isUtf8 = blocks === 'utf8' && input === undefined
  return { length: isUtf8 && matches(head, UTF8_MARK) ? UTF8_MARK.length : 0, input }
}

const AS_IT_IS = 'to read its bytes as they are: detect: false'

/** @param outside The compression that the data were in. */
export function unreadable(
  { name, program, source }: Pick<Format, 'name' | 'program' | 'source'>,
  outside?: string,
): InputError {
  const cure =
    source !== undefined
      ? `read the file with ${source}`
      : typeof program === 'string'
        ? `run them through '${program}'`
        : outside === undefined
          ? `to run them through a program: decompress: [${program.map((word) => `'${word}'`).join(', ')}]`
          : `run them through '${outside} -dc FILE | ${program.join(' ')}'`
  const instead = name === 'zstd' ? 'to decode them here: npm install fzstd, or Node 22.15; ' : ''
  return notText(`${name} data`, `${instead}${cure}; ${AS_IT_IS}`)
}

/** Throws if the first bytes are not text in the encoding, as far as that can be told. */
export function checkText(head: Buffer, { blocks, delimiter }: TextEncoding): void {
  if (delimiter?.includes(0) !== true) {
    const encoding = looksLikeUtf16(head)
    if (encoding !== undefined) {
      throw notText(`a zero in every other byte, as in UTF-16`, `encoding: '${encoding}'; ${AS_IT_IS}`)
    }
  }
  if (blocks === 'utf8' && looksLikeBrotli(head)) {
    const cure =
      "give a file a name that ends with '.br', or pipe the stream through createBrotliDecompress() of node:zlib"
    throw notText('brotli data', `${cure}; ${AS_IT_IS}`)
  }
}

function notText(what: string, cure: string): InputError {
  const expected = 'text, or text compressed as gzip, zstd or brotli'
  return new InputError(
    `Cannot read the input as it must be ${expected}: received ${what} (${cure})`,
    'ERR_INPUT_FORMAT',
    0,
  )
}

/** How much of an input is looked at, in bytes. */
const SAMPLE_SIZE = 4096
const MAX_SAMPLE_TEXT = 1024 * 1024
const FIRST_PRINTABLE = 0x20

/** Of most scripts, every other byte is zero or another control character, and some are zero. */
function looksLikeUtf16(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  const sample = head.subarray(0, SAMPLE_SIZE)
  if (sample.length < 4) return undefined
  const countBelow = (limit: number, parity: number): number =>
    sample.filter((byte, at) => byte < limit && at % 2 === parity).length
  const areControls = (parity: number): boolean =>
    countBelow(1, parity) >= 2 &&
    countBelow(1, 1 - parity) === 0 &&
    countBelow(FIRST_PRINTABLE, parity) >= 0.9 * Math.floor(sample.length / 2)
  if (areControls(1)) return 'utf-16le'
  return areControls(0) ? 'utf-16be' : undefined
}

/** Fewer bytes may be anything. */
const MIN_BROTLI_SIZE = 8

/** Brotli has no mark. It is not UTF-8, and a sample of it gives UTF-8 when it is decompressed. */
function looksLikeBrotli(head: Buffer): boolean {
  const sample = head.subarray(0, SAMPLE_SIZE)
  if (sample.length < MIN_BROTLI_SIZE || decodes(sample, 'utf8', true)) return false
  const finishFlush = sample.length < SAMPLE_SIZE ? constants.BROTLI_OPERATION_FINISH : constants.BROTLI_OPERATION_FLUSH
  try {
    // The types of Node leave 'info' out.
    const options = { finishFlush, maxOutputLength: MAX_SAMPLE_TEXT, info: true } as BrotliOptions
    const result: unknown = brotliDecompressSync(sample, options)
    const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } }
    return buffer.length > 0 && engine.bytesWritten === sample.length && decodes(buffer, 'utf8', true)
  } catch (error) {
    return (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE'
  }
}
