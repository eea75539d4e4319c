/**
 * Reads the file that a path names, in blocks. Pipes, sockets and terminals are read as streams: a read that waits in
 * the thread pool cannot be cancelled.
 */
import { close, constants, fstat, open, type Stats } from 'node:fs'
import { Socket } from 'node:net'
import { isatty, ReadStream } from 'node:tty'
import { promisify } from 'node:util'
import type { CheckpointError } from '../errors.js'
import { withPathCure } from './byte-source-cures.js'
import { FileReader } from './file.js'
import type { ByteCount } from './input-meter.js'
import { isLocal } from './local-disk.js'
import type { WatchedFile } from '../resume/identity.js'
import { notResumable } from '../resume/not-resumable.js'
import { DONE, openSource, type Reader } from './source.js'

const openFile = promisify(open)
const statFile = promisify(fstat)
const closeFile = promisify(close)

/** What to do where a file is wanted that can be read again. */
export const NO_FILE_CURE = 'write it to a file first, and read that'

/** Opening a named pipe would else wait for a writer, in the thread pool. Windows has no such flag. */
const FLAGS = constants.O_RDONLY | ((constants as { O_NONBLOCK?: number }).O_NONBLOCK ?? 0)

/** Where the system shows the descriptors of a process; a socket cannot be opened there. */
const OWN_DESCRIPTOR = /^(?:\/dev\/stdin|\/(?:dev|proc\/self)\/fd\/(\d+))$/

/** How a file is read that a later run may have to read again. */
export interface FileAccess {
  /** Where it is read from. */
  readonly start: number
  readonly watch: WatchedFile
}

export class PathReader implements Reader<Buffer> {
  readonly #path: string
  readonly #count: ByteCount | undefined
  readonly #access: FileAccess | undefined
  #opening: Promise<Reader<Buffer>> | undefined
  #file: FileReader | undefined
  /** Where the next block begins. */
  #position: number
  #closed = false

  /** @param count Where the bytes that are read are counted. */
  constructor(path: string, count?: ByteCount, access?: FileAccess) {
    this.#path = path
    this.#count = count
    this.#access = access
    this.#position = access?.start ?? 0
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#closed) return DONE
    const reader = await (this.#opening ??= this.#open())
    // It may have been closed while it was being opened.
    if (this.#closed) return DONE
    const result = (await reader.next()) as IteratorResult<Buffer, undefined>
    const count = this.#count
    if (result.done === true && !this.#closed) this.#access?.watch.ended()
    this.#position += result.value?.length ?? 0
    if (count !== undefined) {
      // An earlier run may have read more.
      if (result.done !== true) count.read = Math.max(count.read, this.#position)
      else if (!this.#closed) count.hasEnded = true
    }
    return result
  }

  /** May be called at any time and again. */
  async close(): Promise<void> {
    this.#closed = true
    // The reader gets the error.
    const reader = await this.#opening?.catch(() => undefined)
    await reader?.close()
  }

  /** Reads it anew from an offset on, where it is a file and open. */
  readFrom(offset: number): AsyncIterable<Buffer> | undefined {
    return this.#file && this.#countedFrom(this.#file, offset)
  }

  /** Bytes that are read again count once. */
  async *#countedFrom(file: FileReader, offset: number): AsyncGenerator<Buffer, undefined, undefined> {
    let position = offset
    for await (const block of file.readFrom(offset)) {
      position += block.length
      if (this.#count !== undefined) this.#count.read = Math.max(this.#count.read, position)
      yield block
    }
    if (this.#count !== undefined && !this.#closed) this.#count.hasEnded = true
  }

  async #open(): Promise<Reader<Buffer>> {
    try {
      return await this.#openPath()
    } catch (error) {
      throw withPathCure(error, this.#path)
    }
  }

  #notResumable(): CheckpointError {
    return notResumable(`'${this.#path}', which is not a regular file`, NO_FILE_CURE)
  }

  async #isLocal(stats: Stats): Promise<boolean> {
    return stats.isFile() && stats.size >= MIN_LARGE_SIZE && (await isLocal(this.#path))
  }

  async #openPath(): Promise<Reader<Buffer>> {
    let descriptor: number
    try {
      descriptor = await openFile(this.#path, FLAGS)
    } catch (error) {
      const own = OWN_DESCRIPTOR.exec(this.#path)
      if (own === null || (error as NodeJS.ErrnoException).code !== 'ENXIO') throw error
      if (this.#access !== undefined) throw this.#notResumable()
      return streamReader(own[1] === undefined || own[1] === '0' ? process.stdin : new Socket({ fd: Number(own[1]) }))
    }
    const stats = await statFile(descriptor)
    const access = this.#access
    if (access !== undefined && !stats.isFile() && !stats.isDirectory()) {
      await closeFile(descriptor)
      throw this.#notResumable()
    }
    const stream = streamOf(descriptor, stats)
    if (stream !== undefined) return streamReader(stream)
    const file = new FileReader(descriptor, (await this.#isLocal(stats)) ? stats.size : 0, access?.start)
    if (stats.isFile()) {
      this.#file = file
      access?.watch.opened(file)
      if (this.#count !== undefined) this.#count.size = stats.size
    }
    // Throws, and closes it.
    if (stats.isDirectory()) await file.next()
    return file
  }
}

/** Asking where a smaller one is would take longer than that saves. */
const MIN_LARGE_SIZE = 4 * 2 ** 20

function streamOf(descriptor: number, stats: Stats): Socket | undefined {
  if (process.platform === 'win32') return undefined
  if (stats.isFIFO() || stats.isSocket()) return new Socket({ fd: descriptor, readable: true, writable: false })
  if (stats.isCharacterDevice() && isatty(descriptor)) return new ReadStream(descriptor)
  return undefined
}

/** Closed before the end is told, and when `close()` settles. */
function streamReader(stream: Socket): Reader<Buffer> {
  const closed = new Promise((resolve) => stream.once('close', resolve))
  const reader = openSource<Buffer>(stream)
  return {
    next: async () => {
      const result = await reader.next()
      if (result.done) await closed
      return result
    },
    close: async () => {
      await reader.close()
      await closed
    },
  }
}
