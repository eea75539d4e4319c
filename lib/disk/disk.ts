/** How files are written. Each call that changes what is on disk is a step of `steps.ts`. Errors are those of the system. */
import type { BigIntStats } from 'node:fs'
import { link, mkdir, open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { unlessMissing } from './file-stats.js'
import { step, type Call, type Owner, type StepName } from './steps.js'
import { writeAll } from './write-all.js'

export class Disk {
  readonly #owner: Owner

  /** @param owner Whose files are written. */
  constructor(owner: Owner) {
    this.#owner = owner
  }

  /** Makes a file and opens it. There must be none. */
  create(path: string): Promise<DiskFile> {
    return this.#step('create', path, async () => this.#file(path, await open(path, 'wx')))
  }

  /** Opens a file that exists, to change it from its start. */
  async change(path: string): Promise<DiskFile> {
    return this.#file(path, await open(path, 'r+'))
  }

  /** Opens a file to add to it. */
  async append(path: string): Promise<DiskFile> {
    return this.#file(path, await open(path, 'a'))
  }

  /** Makes a folder and those above it. Resolves with the first one that was made. */
  async mkdir(path: string): Promise<string | undefined> {
    return await this.#step('mkdir', path, () => mkdir(path, { recursive: true }))
  }

  rename(from: string, to: string): Promise<void> {
    return step({ name: this.#name('rename'), path: from, to }, () => rename(from, to))
  }

  /** Unlike `rename()`, it does not replace a file. */
  link(from: string, to: string): Promise<void> {
    return step({ name: this.#name('link'), path: from, to }, () => link(from, to))
  }

  unlink(path: string): Promise<void> {
    return this.#step('unlink', path, () => unlink(path))
  }

  /** Removes a file, if there is one. */
  async remove(path: string): Promise<void> {
    await unlessMissing(this.unlink(path))
  }

  /** Makes the names in a folder safe. Windows has no such call, and some file systems of networks refuse it. */
  async syncFolder(path: string): Promise<void> {
    if (process.platform === 'win32') return
    await this.#step('syncFolder', path, () => syncFolder(path))
  }

  /** Makes the name of a file safe. @param made The first folder that was made for it. */
  async syncFoldersOf(file: string, made?: string): Promise<void> {
    const last = resolve(dirname(made ?? file))
    for (let folder = resolve(dirname(file)); ; folder = dirname(folder)) {
      await this.syncFolder(folder)
      if (folder === last || folder === dirname(folder)) return
    }
  }

  #file(path: string, handle: FileHandle): DiskFile {
    return new DiskFile(this.#owner, path, handle)
  }

  #step<T>(call: Call, path: string, run: () => Promise<T>): Promise<T> {
    return step({ name: this.#name(call), path }, run)
  }

  #name(call: Call): StepName {
    return `${this.#owner}.${call}`
  }
}

/** A file that is open. */
export class DiskFile {
  readonly #owner: Owner
  readonly #path: string
  readonly #handle: FileHandle

  constructor(owner: Owner, path: string, handle: FileHandle) {
    this.#owner = owner
    this.#path = path
    this.#handle = handle
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    return this.#step('write', () => writeAll(this.#handle, chunks), { bytes: chunks })
  }

  truncate(length: number): Promise<void> {
    return this.#step('truncate', () => this.#handle.truncate(length), { length })
  }

  chmod(mode: number): Promise<void> {
    return this.#step('chmod', () => this.#handle.chmod(mode))
  }

  /** Makes its bytes safe. */
  datasync(): Promise<void> {
    return this.#step('datasync', () => this.#handle.datasync())
  }

  /** Makes its bytes and its mode safe. */
  sync(): Promise<void> {
    return this.#step('sync', () => this.#handle.sync())
  }

  stat(): Promise<BigIntStats> {
    return this.#handle.stat({ bigint: true })
  }

  /** Settles when what is under way has ended. */
  close(): Promise<void> {
    return this.#handle.close()
  }

  #step(call: Call, run: () => Promise<void>, details: { bytes?: readonly Uint8Array[]; length?: number } = {}) {
    return step({ name: `${this.#owner}.${call}`, path: this.#path, ...details }, run)
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
  } finally {
    await folder.close()
  }
}
