/** Reads an open file in large blocks, one block ahead of the reader. It knows only bytes, not lines or gzip. */
import { NO_BYTES } from '../codec/line-end.js'
import { close, read } from 'node:fs'
import { promisify } from 'node:util'
import { DONE, type Reader } from './source.js'

const closeFile = promisify(close)
const readFile = promisify(read)

/** Measured from 64 KiB to 1 MiB: smaller ones cost more trips to the thread pool, larger ones only more memory. */
export const BLOCK_SIZE: number = 512 * 1024

/**
 * Memory of files that were read to their ends, for the next file, as V8 is slow to collect it. As much as one file
 * needs.
 */
const idle: Buffer[] = []
const MAX_IDLE = 2

/**
 * A file. It is closed before its end or an error is told. A block is valid until the next `next()`, which reads into
 * its memory again.
 */
export class FileReader implements Reader<Buffer> {
  readonly #file: number
  #memory = NO_BYTES
  #spareMemory = NO_BYTES
  /** The latest read: under way, or done and not yet asked for. */
  #read: Promise<Buffer> | undefined
  #closing: Promise<void> | undefined

  /** The file is the reader's, which closes it. */
  constructor(file: number) {
    this.#file = file
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#closing !== undefined) return DONE
    try {
      const block = await (this.#read ?? this.#startRead())
      if (block.length > 0) {
        void this.#startRead()
        return { done: false, value: block }
      }
    } catch (error) {
      // The reason the file cannot be read says more than the failure to close it could.
      await this.close().catch(() => {})
      throw error
    }
    await this.close()
    // The last block is valid until this call: its memory is free now.
    for (const memory of [this.#memory, this.#spareMemory]) {
      if (memory !== NO_BYTES && idle.length < MAX_IDLE) idle.push(memory)
    }
    this.#memory = this.#spareMemory = NO_BYTES
    return DONE
  }

  /** Closes the file once the read under way is over. May be called at any time and again. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** The blocks of the file from an offset on, while this reader is open. Each is valid until the next one. */
  async *readFrom(offset: number): AsyncGenerator<Buffer, undefined, undefined> {
    const memory = Buffer.allocUnsafeSlow(BLOCK_SIZE)
    for (let position = offset; this.#closing === undefined;) {
      const { bytesRead } = await readFile(this.#file, memory, 0, BLOCK_SIZE, position)
      if (bytesRead === 0) return
      position += bytesRead
      yield memory.subarray(0, bytesRead)
    }
  }

  #startRead(): Promise<Buffer> {
    const read = this.#readBlock()
    // A block that is read ahead may fail before it is asked for, or may never be asked for.
    read.catch(() => {})
    this.#read = read
    return read
  }

  async #readBlock(): Promise<Buffer> {
    if (this.#closing !== undefined) return NO_BYTES
    const { bytesRead } = await readFile(this.#file, this.#nextMemory(), 0, BLOCK_SIZE, null)
    return this.#memory.subarray(0, bytesRead)
  }

  /** Takes turns between two pieces of memory: a tenth faster than new memory for each block, and flatter. */
  #nextMemory(): Buffer {
    const memory = this.#spareMemory
    this.#spareMemory = this.#memory
    this.#memory = memory === NO_BYTES ? (idle.pop() ?? Buffer.allocUnsafeSlow(BLOCK_SIZE)) : memory
    return this.#memory
  }

  async #close(): Promise<void> {
    // The caller that awaits the read gets its error. Here it only has to be over.
    await this.#read?.catch(() => {})
    await closeFile(this.#file)
  }
}
