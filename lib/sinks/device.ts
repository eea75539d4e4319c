/** A path that is no file: a pipe, a terminal or another device. It is written directly, as nothing can take its place. */
import { open, type FileHandle } from 'node:fs/promises'
import { statOf } from '../disk/file-stats.js'
import { withOutputCure } from '../disk/output-error.js'
import type { ByteTarget } from './target.js'
import { writeAll } from '../disk/write-all.js'

/** Names of what a process has open already. They may lead to a file, which others write, too. */
const OWN_DESCRIPTOR = /^\/(dev|proc\/self)\/fd\/\d+$/

/** Whether a path names a pipe, a terminal or another device. */
export async function isDevicePath(path: string): Promise<boolean> {
  if (OWN_DESCRIPTOR.test(path)) return true
  try {
    const stats = await statOf(path)
    return stats !== undefined && !stats.isFile() && !stats.isDirectory()
  } catch {
    // It is told when the file is opened.
    return false
  }
}

export class Device implements ByteTarget {
  readonly path: string
  readonly isLive = true
  #handle: FileHandle | undefined

  constructor(path: string) {
    this.path = path
  }

  async open(): Promise<void> {
    try {
      this.#handle = await open(this.path, 'w')
    } catch (error) {
      throw withOutputCure(error, this.path)
    }
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    try {
      if (this.#handle !== undefined) await writeAll(this.#handle, chunks)
    } catch (error) {
      throw withOutputCure(error, this.path)
    }
  }

  async finish(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    try {
      await handle?.close()
    } catch (error) {
      throw withOutputCure(error, this.path)
    }
  }

  async publish(): Promise<void> {
    // What was written is there.
  }

  async discard(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close().catch(() => undefined)
  }
}
