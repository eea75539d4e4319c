/**
 * A file that appears whole or not at all. It is written under another name in the same folder, made safe, and renamed.
 * Until then a reader sees the old file. A crash of the system loses nothing that was published.
 */
import { open, realpath } from 'node:fs/promises'
import type { BigIntStats } from 'node:fs'
import { dirname } from 'node:path'
import { Disk, type DiskFile } from '../disk/disk.js'
import { statOf, unlessMissing } from '../disk/file-stats.js'
import type { CreatedFiles } from '../resume/created-files.js'
import {
  assertNoInput,
  assertReplaceable,
  isSameFile,
  lostError,
  replacedError,
  withCure,
} from '../disk/file-errors.js'
import type { InputFiles } from '../disk/input-files.js'
import { PART_SUFFIX, renamePart } from '../disk/publication.js'
import type { ByteTarget } from './target.js'

export interface FileOptions {
  /** Whether a file that exists is replaced. */
  readonly overwrite: boolean
  readonly inputs: InputFiles
  /** Set if a later run may continue the file. Then it stays after an error, once there is a checkpoint. */
  readonly kept?: KeptPart | undefined
  /** Where its name is noted before it is made. Default: nowhere. */
  readonly created?: CreatedFiles | undefined
  /** Default: that of outputs. */
  readonly disk?: Disk
}

/** Says whether an unfinished file stays after an error. */
export interface KeptPart {
  readonly hasCheckpoint: boolean
}

const OUTPUT_DISK = new Disk('output')

export class AtomicFile implements ByteTarget {
  readonly path: string
  readonly isLive = false
  readonly #options: FileOptions
  readonly #disk: Disk
  /** Where a link leads. */
  #file: string
  #part: string
  #handle: DiskFile | undefined
  /** Of the file that is written. */
  #identity: BigIntStats | undefined
  #isPublished = false
  /** How many bytes an earlier run has written. */
  #start = 0
  /** The first folder that was made for it. */
  #madeFolder: string | undefined
  /** Whether a crash of the system would not lose the name of the unfinished file. */
  #isNameSafe = false

  constructor(path: string, options: FileOptions) {
    this.path = path
    this.#file = path
    this.#part = path + PART_SUFFIX
    this.#options = options
    this.#disk = options.disk ?? OUTPUT_DISK
  }

  /** The name of the unfinished file. */
  get part(): string {
    return this.#part
  }

  /** Before `open()`: an earlier run has written this many bytes, which are kept. */
  restore(length: number): void {
    this.#start = length
  }

  open(): Promise<void> {
    return withCure(this.path, async () => {
      this.#file = (await unlessMissing(realpath(this.path))) ?? this.path
      this.#part = this.#file + PART_SUFFIX
      const old = await statOf(this.#file)
      if (old?.isDirectory() === true) await (await open(this.#file, 'w')).close()
      if (old !== undefined) await assertReplaceable(this.path, old, this.#options)
      if (this.#start > 0) await this.#continue()
      else await this.#create(old)
    })
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    return withCure(this.path, async () => {
      await this.resume()
      await this.#handle?.write(chunks)
    })
  }

  /** Closes it for a while: the next `resume()` goes on where it was. */
  async suspend(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  async resume(): Promise<void> {
    this.#handle ??= await this.#disk.append(this.#part)
  }

  /** Makes safe what was written, for a later run. Also while more is written, or while it is closed for a while. */
  sync(): Promise<void> {
    return withCure(this.path, async () => {
      const handle = this.#handle
      if (handle === undefined) {
        const own = await this.#disk.change(this.#part)
        await own.datasync().finally(() => own.close())
      } else await handle.datasync()
      await this.#syncName()
    })
  }

  finish(): Promise<void> {
    return withCure(this.path, async () => {
      await this.resume()
      const handle = this.#handle
      await handle?.sync()
      this.#handle = undefined
      await handle?.close()
      if (this.#options.kept !== undefined) await this.#syncName()
    })
  }

  /** Throws what `publish()` would throw, where that is known before. */
  check(): Promise<void> {
    return withCure(this.path, async () => {
      const part = await statOf(this.#part)
      if (!isSameFile(part, this.#identity)) throw replacedError(this.path, this.#part)
      // Inputs whose paths were not known at the start.
      const old = await statOf(this.#file)
      if (old !== undefined) await assertReplaceable(this.path, old, this.#options)
    })
  }

  async publish(): Promise<void> {
    await this.check()
    await withCure(this.path, async () => {
      await renamePart(this.#disk, this.#part, this.#file, { path: this.path, overwrite: this.#options.overwrite })
      this.#isPublished = true
      await this.#disk.syncFoldersOf(this.#file, this.#madeFolder)
    })
  }

  async discard(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    // The error that leads here is told, and not one of these.
    await handle?.close().catch(noop)
    const isLeft = !this.#isPublished && this.#options.kept?.hasCheckpoint !== true
    const isOwn = this.#identity !== undefined && isLeft
    if (isOwn && isSameFile(await statOf(this.#part).catch(noop), this.#identity)) {
      await this.#disk.unlink(this.#part).catch(noop)
    }
  }

  /** @param old The file that it is to replace. */
  async #create(old: BigIntStats | undefined): Promise<void> {
    this.#madeFolder = await this.#disk.mkdir(dirname(this.#file))
    await this.#removeOldPart()
    await this.#options.created?.note(this.#part)
    // Not the old one: it may be in use by another program, which then finds that it was replaced.
    this.#handle = await this.#disk.create(this.#part)
    if (old !== undefined) await this.#handle.chmod(Number(old.mode & 0o7777n))
    this.#identity = await this.#handle.stat()
  }

  /** Goes on where an earlier run was. What that one has written after that is dropped. */
  async #continue(): Promise<void> {
    const part = await statOf(this.#part)
    if (part === undefined || part.size < this.#start) throw this.#lost(part)
    await assertNoInput(this.#part, part, this.#options.inputs)
    const file = await this.#disk.change(this.#part)
    try {
      this.#identity = await file.stat()
      if (this.#identity.size > this.#start) await file.truncate(this.#start)
    } finally {
      await file.close()
    }
    this.#isNameSafe = true
    await this.resume()
  }

  #lost(part: BigIntStats | undefined): Error {
    return lostError(this.path, this.#part, this.#start, part?.size)
  }

  /** One that was left behind, when a program was killed. */
  async #removeOldPart(): Promise<void> {
    const old = await statOf(this.#part)
    if (old === undefined) return
    await assertNoInput(this.#part, old, this.#options.inputs)
    await this.#disk.unlink(this.#part)
  }

  async #syncName(): Promise<void> {
    if (this.#isNameSafe) return
    await this.#disk.syncFoldersOf(this.#part, this.#madeFolder)
    this.#isNameSafe = true
  }
}

function noop(): undefined {
  return undefined
}
