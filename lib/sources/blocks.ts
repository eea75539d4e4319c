/** Files as blocks, which are ranges of bytes: for tasks that read the files themselves, with `readLines()`. */
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { MillraceError, received, typeError } from '../errors.js'
import { withPathCure } from '../io/byte-source-cures.js'
import { isByteList, sourcesOf, type ByteInput } from '../io/bytes.js'
import { isFolderName, pathInFolder } from '../io/data-folder.js'
import type { Files } from '../io/path-list.js'
import { assertPlainText, HEAD_BYTES } from '../io/plain-text.js'
import { isServerUrl } from '../io/urls.js'
import { OptionReader, VERBS_HINT } from '../options.js'

const ACTION = 'split files into blocks'
const DEFAULT_SIZE = 64 * 2 ** 20
/** A named pipe must not make it wait for a writer. Windows has no such flag. */
const FLAGS = constants.O_RDONLY | ((constants as { O_NONBLOCK?: number }).O_NONBLOCK ?? 0)

/** A range of bytes of a file. */
export interface FileBlock {
  /** The path of the file. With `data`: from that folder on, with `/` between names. */
  readonly path: string
  /** Where it begins in the file, in bytes from 0. */
  readonly offset: number
  /** How many bytes it has: at least 1. */
  readonly length: number
  /** The name of the folder in which the path is, by the option `data`. */
  readonly data?: string | undefined
}

/** The options of `blocks()`. */
export interface BlocksOptions {
  /** The most bytes of a block: an integer of at least 1. Default: 67,108,864 (64 MiB). */
  size?: number | undefined
  /**
   * Folders by names of `a-z`, `0-9` and `-`, of at most 32 characters. A block then has the name of the folder that its
   * file is in, and the path from there. A host of a cluster has the same names for its own folders:
   * `npx millrace worker --data NAME=DIR`. Default: paths stay as they are.
   */
  data?: Readonly<Record<string, string>> | undefined
}

/** What `blocks()` returns. Each loop over it looks at the files anew. */
export type FileBlocks = AsyncIterable<FileBlock>

/**
 * The files in blocks: `{ path, offset, length }`, one file after the other. A task reads its block itself, with
 * `readLines()`. So only the blocks cross to workers or to hosts of a cluster, and not what is in them. The files must be
 * at hand there, too: on the same machine, or on storage that all machines share.
 *
 * Each file is opened when its first block is asked for, and closed at once. Its size and its first bytes are read. An
 * empty file has no blocks. A block may begin and end within a line: `readLines()` gives each line to one block.
 *
 * @param paths A path, a `file:` URL, an array of these, or `files()`.
 * @param options `size` (bytes, default 64 MiB), `data` (named folders, default none).
 * @throws `TypeError` or `RangeError` at the call, for bad paths or options. All other errors come from the loop. A file
 * that cannot be read gives the error of the system, with `path`. An `InputError` (`ERR_INPUT_FORMAT`): a file is
 * compressed or in UTF-16, so it can only be read from its start. A `TypeError` (`ERR_INVALID_SOURCE`): a path is not
 * that of a regular file. A `MillraceError` (`ERR_DATA_FOLDER`): a file is in none of the folders of `data`.
 * @example
 * ```ts
 * import { mkdtemp, writeFile } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { blocks, readLines } from 'millrace'
 *
 * const path = join(await mkdtemp(join(tmpdir(), 'logs-')), 'a.log')
 * await writeFile(path, 'one\ntwo\nthree\n')
 * for await (const block of blocks(path, { size: 6 })) {
 *   for await (const line of readLines(block)) console.log(block.offset, block.length, line)
 * }
 * // → 0 6 one
 * // → 0 6 two
 * // → 6 6 three
 * ```
 */
export function blocks(
  paths: string | URL | Files | readonly (string | URL | Files)[],
  options?: BlocksOptions,
): FileBlocks {
  const inputs = sourcesOf(ACTION, paths)
  for (const input of inputs) {
    const { path } = input as { readonly path?: string }
    if (isByteList(input) || (path !== undefined && !isServerUrl(path))) continue
    throw typeError(
      'ERR_INVALID_SOURCE',
      `Cannot ${ACTION} as each source must be a path, a file: URL or files(): received ${path === undefined ? 'bytes' : received(path)}`,
    )
  }
  const read = new OptionReader<BlocksOptions>(ACTION, options, ['size', 'data'], VERBS_HINT)
  const size = read.integer('size', 1) ?? DEFAULT_SIZE
  const data = read.value('data', "an object of folders, by names of 'a-z', '0-9' and '-'", areFolders)
  const folders = data && Object.entries(data)
  return { [Symbol.asyncIterator]: () => blocksOf(inputs, size, folders) }
}

function areFolders(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).every(
    ([name, folder]) => isFolderName(name) && typeof folder === 'string' && folder !== '',
  )
}

type Folders = readonly (readonly [name: string, folder: string])[]

async function* blocksOf(
  inputs: readonly ByteInput[],
  size: number,
  folders: Folders | undefined,
): AsyncGenerator<FileBlock, undefined, undefined> {
  for (const input of inputs) {
    const list = isByteList(input) ? await input.list() : [input]
    for (const { path = '' } of list) {
      const place = folders === undefined ? { path } : placeIn(folders, path)
      const end = await sizeOf(path)
      for (let offset = 0; offset < end; offset += size)
        yield { ...place, offset, length: Math.min(size, end - offset) }
    }
  }
}

/** The folder that a file is in, and its path from there. */
function placeIn(folders: Folders, file: string): Pick<FileBlock, 'path' | 'data'> {
  for (const [data, folder] of folders) {
    const path = pathInFolder(folder, file)
    if (path !== undefined) return { data, path }
  }
  const known = folders.map(([name, folder]) => `${name} (${folder})`).join(', ')
  throw new MillraceError(
    `Cannot ${ACTION} as ${received(file)} must be in a folder of the option 'data': ${known || 'it has none'}`,
    'ERR_DATA_FOLDER',
  )
}

async function sizeOf(path: string): Promise<number> {
  try {
    const file = await open(path, FLAGS)
    try {
      return await sizeOfOpen(file, path)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw withPathCure(error, path)
  }
}

async function sizeOfOpen(file: FileHandle, path: string): Promise<number> {
  const stats = await file.stat()
  if (!stats.isFile()) {
    const what = stats.isDirectory() ? 'a folder' : 'a pipe or a device'
    throw typeError(
      'ERR_INVALID_SOURCE',
      `Cannot ${ACTION} as ${received(path)} must be a regular file: received ${what}`,
    )
  }
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
  assertPlainText(buffer.subarray(0, bytesRead), path)
  return stats.size
}
