/**
 * Tells whether a file is still the one that an earlier run has read. Neither its name and number nor its first bytes
 * alone tell that. So it is known by its size, its first bytes, and the last ones that had been read.
 */
import { createHash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { CheckpointError } from '../errors.js'
import type { Json } from './mark.js'

/** How many bytes are looked at, at most: at the beginning, and before the place that was reached. */
const HEAD_LENGTH = 64 * 1024
const TAIL_LENGTH = 4 * 1024

/** What is known of a file. A type and no interface, so that it is JSON. */
export type FileIdentity = Readonly<{
  path: string
  size: number
  /** As text, since numbers have too few digits. */
  mtimeNs: string
  dev: string
  ino: string
  /** How many of its first bytes were looked at, and their SHA-256. */
  headLength: number
  head: string
  /** How many bytes had been read, and the SHA-256 of the last of them. */
  reached: number
  tail: string
}>

/** A file that is open. It stays so until its methods have settled. */
export interface OpenFile {
  /** How many bytes of it have been read. */
  readonly reached: number
  stat(): Promise<BigIntStats>
  /** Some bytes; fewer at its end. */
  bytes(start: number, length: number): Promise<Buffer>
}

type Head = Pick<FileIdentity, 'headLength' | 'head'>

/** A file that is being read. It is looked at by its descriptor: another file may have taken its name. */
export class WatchedFile {
  readonly #path: string
  #file: OpenFile | undefined
  #head: Promise<Head> | undefined
  #last: Promise<FileIdentity> | undefined

  constructor(path: string) {
    this.#path = path
  }

  opened(file: OpenFile): void {
    this.#file = file
    this.#head = headOf(file)
    // The next checkpoint asks for it, and fails with its error. There may be none.
    this.#head.catch(() => {})
  }

  /** All of it was read: it will not change, and may be closed. */
  ended(): void {
    this.#last ??= this.identity()
    // The same holds for this one.
    this.#last?.catch(() => {})
  }

  /**
   * What is to be stored; undefined if it has not been opened.
   *
   * @param reached How many bytes have been read. Default: all that were read ahead, too.
   */
  identity(reached?: number): Promise<FileIdentity> | undefined {
    if (this.#last !== undefined) return this.#last
    const [file, head] = [this.#file, this.#head]
    return file && head && this.#identify(file, head, reached ?? file.reached)
  }

  async #identify(file: OpenFile, head: Promise<Head>, reached: number): Promise<FileIdentity> {
    const [stats, tail, first] = await Promise.all([file.stat(), tailOf(file, reached), head])
    const { size, mtimeNs, dev, ino } = stats
    const place = { path: this.#path, size: Number(size), mtimeNs: `${mtimeNs}`, dev: `${dev}`, ino: `${ino}` }
    return { ...place, ...first, reached, tail }
  }
}

async function headOf(file: Pick<OpenFile, 'bytes'>, length = HEAD_LENGTH): Promise<Head> {
  const bytes = await file.bytes(0, length)
  return { headLength: bytes.length, head: sha256(bytes) }
}

async function tailOf(file: Pick<OpenFile, 'bytes'>, reached: number): Promise<string> {
  const length = Math.min(TAIL_LENGTH, reached)
  return sha256(await file.bytes(reached - length, length))
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/**
 * Looks whether a file is the one that was read. It may have grown, and may be a copy.
 *
 * @returns What is to be told to the user, if it is not as it was.
 * @throws CheckpointError `ERR_CHECKPOINT_INPUT`
 */
export async function checkIdentity(known: FileIdentity): Promise<string | undefined> {
  const { path } = known
  let file: FileHandle
  try {
    file = await open(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    throw changedInput(path, 'be there, as an earlier run has read it', 'no such file', { cause })
  }
  try {
    const stats = await file.stat({ bigint: true })
    const size = Number(stats.size)
    if (!stats.isFile())
      throw changedInput(path, 'be a regular file', stats.isDirectory() ? 'a folder' : 'another kind')
    if (size < known.reached)
      throw changedInput(path, `have the ${known.reached} bytes that were read of it`, `${size} bytes`)
    const bytes = { bytes: (start: number, length: number) => bytesOf(file, start, length) }
    const { head } = await headOf(bytes, known.headLength)
    if (head !== known.head) throw changedInput(path, `begin with the same ${known.headLength} bytes`, 'other ones')
    if ((await tailOf(bytes, known.reached)) !== known.tail)
      throw changedInput(
        path,
        `have the same bytes before byte ${known.reached}, up to which it was read`,
        'other ones',
      )
    return remarkOf(known, stats)
  } finally {
    await file.close()
  }
}

function remarkOf(known: FileIdentity, { size, mtimeNs, dev, ino }: BigIntStats): string | undefined {
  const { path } = known
  const more = Number(size) - known.size
  if (more > 0) return `'${path}' has grown by ${more} bytes since the earlier run`
  if (`${ino}` !== known.ino || `${dev}` !== known.dev) return `'${path}' is another file with the same bytes`
  return `${mtimeNs}` === known.mtimeNs ? undefined : `'${path}' was written to since the earlier run`
}

/** Reads them all, unless the file ends before. */
export async function bytesOf(
  file: { read(memory: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }> },
  start: number,
  length: number,
): Promise<Buffer> {
  const memory = Buffer.allocUnsafe(length)
  let known = 0
  while (known < length) {
    const { bytesRead } = await file.read(memory, known, length - known, start + known)
    if (bytesRead === 0) break
    known += bytesRead
  }
  return memory.subarray(0, known)
}

/** @param must What it must, behind "as 'PATH' must". */
export function changedInput(
  path: string,
  must: string,
  given: string,
  { cure = 'put the file back as it was', ...options }: ErrorOptions & { cure?: string } = {},
): CheckpointError {
  return new CheckpointError(
    `Cannot go on where an earlier run was as '${path}' must ${must}: received ${given} ` +
      `(${cure}, or remove the checkpoint to begin at the start)`,
    'ERR_CHECKPOINT_INPUT',
    options,
  )
}

/** What a checkpoint has as the identity of a file; undefined if it is not one. */
export function asIdentity(value: Json | undefined): FileIdentity | undefined {
  const given = Object(value) as Partial<Record<keyof FileIdentity, unknown>>
  const areTexts = [given.path, given.mtimeNs, given.dev, given.ino, given.head, given.tail].every(isText)
  const areCounts = [given.size, given.headLength, given.reached].every(isCount)
  return areTexts && areCounts ? (value as FileIdentity) : undefined
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
