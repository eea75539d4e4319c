/** The lines of a block of a file, for tasks. `blocks.ts` makes the blocks. */
import type { FileHandle } from 'node:fs/promises'
import { InputError, rangeError, received, typeError } from '../errors.js'
import { withPathCure } from '../io/byte-source-cures.js'
import { openDataFile } from '../io/data-folder.js'
import { textEncoding } from '../io/encoding.js'
import { lines, type LinesOptions } from '../io/lines.js'
import { assertPlainText } from '../io/plain-text.js'
import { OptionReader } from '../options.js'
import type { FileBlock } from './blocks.js'

const ACTION = 'read the lines of a block'
const OPTIONS = ['encoding', 'delimiter', 'maxLength', 'fatal'] as const
const READ_BYTES = 256 * 1024
const LINE_FEED = 0x0a
const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** The options of `readLines()`: those of `lines()` that a block can have. */
export type ReadLinesOptions = Pick<LinesOptions, (typeof OPTIONS)[number]>

interface Range {
  readonly file: FileHandle
  readonly block: FileBlock
  /** The byte that ends a line. */
  readonly delimiter: number
  /** Whether a byte order mark at the start of text would be dropped. */
  readonly dropsMark: boolean
}

/**
 * The lines that begin in a block, for a task that gets blocks of `blocks()`. The last line is read to its end, beyond
 * the block. A line that has begun before belongs to the block before. So the lines of all blocks of a file are those
 * of `lines(path)`, whatever their size is.
 *
 * It reads 256 KiB at a time, and holds the longest line beside that. The file is closed at every end: the last line, an
 * error, `break`, `return()`.
 *
 * On a host of a cluster, only files below the folders of `--data` are read. So the block needs the name of one: see the
 * option `data` of `blocks()`. `..` in a path and links out of the folder are refused.
 *
 * @param block What `blocks()` gives.
 * @param options `encoding`, `maxLength` and `fatal` as in `lines()`. Not the encodings in which a line cannot be found
 * from anywhere, such as UTF-16. `delimiter`: one byte, default `\n` or `\r\n`.
 * @throws `TypeError` or `RangeError` at the call, for a value that is not a block, or bad options. Other errors come from
 * `next()`: those of `lines()`, whose `line` and `offset` count from the first line of the block. An `InputError`
 * (`ERR_INPUT_FORMAT`): the file is compressed, in UTF-16, or shorter than the block says. A `MillraceError`
 * (`ERR_DATA_FOLDER`): the file may not be read here.
 * @example
 * ```ts
 * import { mkdtemp, writeFile } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { blocks, isMainThread, map, readLines, task, type FileBlock } from 'millrace'
 *
 * const count = task(import.meta.url, 'count', async (block: FileBlock) => {
 *   let lines = 0
 *   for await (const _ of readLines(block)) lines++
 *   return lines
 * })
 *
 * if (isMainThread) {
 *   const path = join(await mkdtemp(join(tmpdir(), 'logs-')), 'a.log')
 *   await writeFile(path, 'line\n'.repeat(1_000))
 *   const counts = await map(count, blocks(path, { size: 2_000 }))
 *   console.log(counts)
 *   // → [ 400, 400, 200 ]
 * }
 * ```
 */
export function readLines(block: FileBlock, options?: ReadLinesOptions): AsyncGenerator<string, undefined, undefined> {
  assertBlock(block)
  const read = new OptionReader<ReadLinesOptions>(ACTION, options, OPTIONS)
  const given = {
    encoding: read.value('encoding', 'the name of an encoding', (value) => typeof value === 'string'),
    delimiter: read.any('delimiter') as LinesOptions['delimiter'],
    maxLength: read.integer('maxLength', 1),
    fatal: read.boolean('fatal'),
  }
  // Checks the others as `lines()` does, and reads nothing.
  lines([], given)
  const { input, blocks, delimiter } = textEncoding(ACTION, given.encoding, given.delimiter)
  if (input !== undefined) {
    throw rangeError(
      'ERR_INVALID_OPTION',
      `Cannot ${ACTION} as 'encoding' must be one in which lines can be found from anywhere: received ${received(given.encoding)}`,
    )
  }
  if (delimiter !== undefined && delimiter.length !== 1) {
    throw rangeError(
      'ERR_INVALID_OPTION',
      `Cannot ${ACTION} as 'delimiter' must be one byte: received ${received(given.delimiter)}`,
    )
  }
  return linesOf(block, given, { delimiter: delimiter?.[0] ?? LINE_FEED, dropsMark: blocks === 'utf8' })
}

async function* linesOf(
  block: FileBlock,
  options: ReadLinesOptions,
  how: Pick<Range, 'delimiter' | 'dropsMark'>,
): AsyncGenerator<string, undefined, undefined> {
  let file: FileHandle
  try {
    file = await openDataFile(block.path, block.data)
  } catch (error) {
    throw withPathCure(error, block.path)
  }
  try {
    yield* lines(bytesOf({ ...how, file, block }), { ...options, detect: false })
  } finally {
    await file.close()
  }
}

/** The bytes of the lines that begin in the block. */
async function* bytesOf({ file, block, delimiter, dropsMark }: Range): AsyncGenerator<Buffer, undefined, undefined> {
  const { path, offset } = block
  const end = offset + block.length
  /** Whether the first line has been found. */
  let isInside = offset === 0
  let isFirst = true
  // A line that begins with the block has its delimiter before it.
  for (let position = isInside ? 0 : offset - 1; ;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(READ_BYTES), 0, READ_BYTES, position)
    if (bytesRead === 0) {
      if (position < end) throw tooShort(path, position, end)
      return
    }
    const bytes = buffer.subarray(0, bytesRead)
    if (!isInside) {
      const found = bytes.indexOf(delimiter)
      position += found < 0 ? bytesRead : found + 1
      if (position >= end) return
      isInside = found >= 0
      continue
    }
    if (isFirst && offset === 0) assertPlainText(bytes, path)
    else if (isFirst && dropsMark && bytes.subarray(0, UTF8_MARK.length).equals(UTF8_MARK)) yield UTF8_MARK
    isFirst = false
    // The last line that begins in the block ends with the first delimiter from here on.
    const from = Math.max(0, end - 1 - position)
    position += bytesRead
    const last = position >= end ? bytes.indexOf(delimiter, from) : -1
    yield last < 0 ? bytes : bytes.subarray(0, last + 1)
    if (last >= 0) return
  }
}

function assertBlock(block: unknown): void {
  const { path, offset, length, data } = Object(block) as Partial<Record<keyof FileBlock, unknown>>
  const isRange = isCount(offset) && isCount(length) && length > 0 && Number.isSafeInteger(offset + length)
  if (isRange && typeof path === 'string' && path !== '' && (data === undefined || typeof data === 'string')) return
  throw typeError(
    'ERR_INVALID_SOURCE',
    `Cannot ${ACTION} as it must be a block { path, offset, length }, as blocks() gives them: received ${received(block)}`,
  )
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function tooShort(path: string, size: number, end: number): InputError {
  return new InputError(
    `Cannot read ${path} as it must have ${end} bytes, as it had when its blocks were made: it ends after ${size}`,
    'ERR_INPUT_FORMAT',
    size,
  )
}
