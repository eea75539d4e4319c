/**
 * A file that appears whole or not at all. It is written under another name in the same folder, made safe, and renamed.
 * Until then a reader sees the old file. A crash of the system loses nothing that was published.
 */
import { link, mkdir, open, realpath, rename, unlink, type FileHandle } from 'node:fs/promises'
import type { BigIntStats } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { OutputError } from '../errors.js'
import { statOf, unlessMissing } from './file-stats.js'
import type { InputFiles } from './input-files.js'
import { withOutputCure } from './output-error.js'
import type { ByteTarget } from './target.js'
import { writeAll } from './write-all.js'

export const PART_SUFFIX = '.part'

export interface FileOptions {
  /** Whether a file that exists is replaced. */
  readonly overwrite: boolean
  readonly inputs: InputFiles
}

export class AtomicFile implements ByteTarget {
  readonly path: string
  readonly isLive = false
  readonly #options: FileOptions
  /** Where a link leads. */
  #file: string
  #part: string
  #handle: FileHandle | undefined
  /** Of the file that is written. */
  #identity: BigIntStats | undefined
  #isPublished = false
  /** The first folder that was made for it. */
  #madeFolder: string | undefined

  constructor(path: string, options: FileOptions) {
    this.path = path
    this.#file = path
    this.#part = path + PART_SUFFIX
    this.#options = options
  }

  async open(): Promise<void> {
    try {
      this.#file = (await unlessMissing(realpath(this.path))) ?? this.path
      this.#part = this.#file + PART_SUFFIX
      const old = await statOf(this.#file)
      if (old?.isDirectory() === true) await (await open(this.#file, 'w')).close()
      if (old !== undefined) await this.#assertReplaceable(old)
      this.#madeFolder = await mkdir(dirname(this.#file), { recursive: true })
      await this.#removeOldPart()
      // Not the old one: it may be in use by another program, which then finds that it was replaced.
      this.#handle = await open(this.#part, 'wx')
      if (old !== undefined) await this.#handle.chmod(Number(old.mode & 0o7777n))
      this.#identity = await this.#handle.stat({ bigint: true })
    } catch (error) {
      throw withOutputCure(error, this.path)
    }
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    try {
      await this.resume()
      if (this.#handle !== undefined) await writeAll(this.#handle, chunks)
    } catch (error) {
      throw withOutputCure(error, this.path)
    }
  }

  /** Closes it for a while: the next `resume()` goes on where it was. */
  async suspend(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  async resume(): Promise<void> {
    this.#handle ??= await open(this.#part, 'a')
  }

  async finish(): Promise<void> {
    try {
      await this.resume()
      const handle = this.#handle
      await handle?.sync()
      this.#handle = undefined
      await handle?.close()
    } catch (error) {
      throw withOutputCure(error, this.path)
    }
  }

  async publish(): Promise<void> {
    try {
      const part = await statOf(this.#part)
      if (!isSameFile(part, this.#identity)) throw replacedError(this.path, this.#part)
      // Inputs whose paths were not known at the start.
      const old = await statOf(this.#file)
      if (old !== undefined) await this.#assertReplaceable(old)
      await this.#rename()
      this.#isPublished = true
      await this.#syncFolders()
    } catch (error) {
      throw withOutputCure(error, this.path)
    }
  }

  async discard(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    // The error that leads here is told, and not one of these.
    await handle?.close().catch(noop)
    const isOwn = this.#identity !== undefined && !this.#isPublished
    if (isOwn && isSameFile(await statOf(this.#part).catch(noop), this.#identity)) await unlink(this.#part).catch(noop)
  }

  async #assertReplaceable(old: BigIntStats): Promise<void> {
    if (!this.#options.overwrite) throw existsError(this.path)
    await this.#assertNoInput(old, this.path)
  }

  /** One that was left behind, when a program was killed. */
  async #removeOldPart(): Promise<void> {
    const old = await statOf(this.#part)
    if (old === undefined) return
    await this.#assertNoInput(old, this.#part)
    await unlink(this.#part)
  }

  async #assertNoInput(file: BigIntStats, path: string): Promise<void> {
    const input = await this.#options.inputs.find(file)
    if (input !== undefined) throw isInputError(path, input)
  }

  /** Its folder; and if folders were made for it, those that they stand in. */
  async #syncFolders(): Promise<void> {
    const last = resolve(dirname(this.#madeFolder ?? this.#file))
    for (let folder = resolve(dirname(this.#file)); ; folder = dirname(folder)) {
      await syncFolder(folder)
      if (folder === last || folder === dirname(folder)) return
    }
  }

  async #rename(): Promise<void> {
    if (this.#options.overwrite) {
      await rename(this.#part, this.#file)
      return
    }
    try {
      // Unlike `rename()`, it does not replace a file that was made meanwhile.
      await link(this.#part, this.#file)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') throw existsError(this.path)
      // There are file systems without links.
      await rename(this.#part, this.#file)
      return
    }
    await unlink(this.#part)
  }
}

/** Makes the new name of a file safe. Windows has no such call, and some file systems of networks refuse it. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
  } finally {
    await folder.close()
  }
}

function isSameFile(one: BigIntStats | undefined, other: BigIntStats | undefined): boolean {
  return one !== undefined && one.dev === other?.dev && one.ino === other.ino
}

function existsError(path: string): OutputError {
  const cure = 'choose another name, or overwrite: true'
  return outputError(path, 'ERR_OUTPUT_EXISTS', `the file exists and 'overwrite' is false (${cure})`)
}

function isInputError(path: string, input: string): OutputError {
  const cure = 'write to another file, and rename it afterwards'
  return outputError(path, 'ERR_OUTPUT_IS_INPUT', `it is the input '${input}' (${cure})`)
}

function replacedError(path: string, part: string): OutputError {
  const cure = 'let only one program write a file at a time'
  return outputError(path, 'ERR_OUTPUT_REPLACED', `another program has replaced '${part}' (${cure})`)
}

function outputError(path: string, code: OutputError['code'], reason: string): OutputError {
  return Object.assign(new OutputError(`Cannot write '${path}' as ${reason}`, code), { path })
}

function noop(): undefined {
  return undefined
}
