/** Reads an open file in large blocks. It knows only bytes, not lines or gzip. */
import { close, fstat, read, readSync, type BigIntStats } from 'node:fs'
import { promisify } from 'node:util'
import { bytesOf, type OpenFile } from '../resume/identity.js'
import { BLOCK_SIZE, Slab } from '../scan/memory.js'
import { ReadPolicy } from './read-policy.js'
import { DONE, type Reader } from './source.js'

const closeFile = promisify(close)
const readFile = promisify(read)
const statFile = promisify(fstat)

/** A block that was read: how many bytes, and where they are. */
interface Block {
  readonly slab: Slab
  readonly length: number
}

/**
 * A file. It is closed before an error is told. At its end it stays open, as it may be read again. A block is valid until the next `next()`, and as long as its slab is
 * retained.
 */
export class FileReader implements Reader<Buffer>, OpenFile {
  readonly #file: number
  /** The slab of the block that was given last. */
  #given: Slab | undefined
  /** A read by the thread pool: under way, or done and not yet asked for. It gives undefined at the end. */
  #ahead: Promise<Block | undefined> | undefined
  readonly #policy = new ReadPolicy()
  /** How many bytes are certain to be there: a read of them waits for nothing but a local disk. */
  #certain: number
  /** Where the next read begins; null: behind the last one, as in a pipe. */
  #position: number | null
  #reached: number
  /** What else reads the file. */
  readonly #held = new Set<Promise<unknown>>()
  #ended = false
  #closing: Promise<void> | undefined

  /**
   * The file is the reader's, which closes it.
   *
   * @param localSize Its size, if it is a file on a local disk.
   * @param start Where it is read from. Undefined: it may be one that has no places, such as a pipe.
   */
  constructor(file: number, localSize = 0, start?: number) {
    this.#file = file
    this.#certain = Math.max(0, localSize - (start ?? 0))
    this.#position = start ?? null
    this.#reached = start ?? 0
  }

  /** How many bytes come before the next block. */
  get reached(): number {
    return this.#reached
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    this.#given?.release()
    this.#given = undefined
    if (this.#ended || this.#closing !== undefined) return DONE
    try {
      const block = await this.#next()
      if (block !== undefined) {
        this.#given = block.slab
        this.#certain -= block.length
        this.#reached += block.length
        // It may have been closed meanwhile.
        if (this.#closing === undefined && this.#isReadAhead()) void this.#readAhead()
        return { done: false, value: block.slab.bytes(block.length) }
      }
    } catch (error) {
      // The reason the file cannot be read says more than the failure to close it could.
      await this.close().catch(() => {})
      throw error
    }
    this.#ended = true
    return DONE
  }

  stat(): Promise<BigIntStats> {
    return this.#hold(() => statFile(this.#file, { bigint: true }))
  }

  bytes(start: number, length: number): Promise<Buffer> {
    const read = (memory: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }> =>
      readFile(this.#file, memory, offset, length, position)
    return this.#hold(() => bytesOf({ read }, start, length))
  }

  /** Closes the file once the reads under way are over. May be called at any time and again. */
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

  async #next(): Promise<Block | undefined> {
    if (this.#ahead === undefined && !this.#isReadAhead()) return this.#readHere()
    const block = await (this.#ahead ?? this.#readAhead())
    this.#ahead = undefined
    return block
  }

  #isReadAhead(): boolean {
    return this.#certain <= 0 || this.#policy.takesAhead()
  }

  #readHere(): Block | undefined {
    const slab = Slab.take(BLOCK_SIZE)
    const start = performance.now()
    const length = readSync(this.#file, slab.bytes(), 0, BLOCK_SIZE, this.#position)
    this.#policy.record(performance.now() - start)
    return this.#blockOf(slab, length)
  }

  #readAhead(): Promise<Block | undefined> {
    const read = this.#readThere()
    // A block that is read ahead may fail before it is asked for, or may never be asked for.
    read.catch(() => {})
    this.#ahead = read
    return read
  }

  async #readThere(): Promise<Block | undefined> {
    const slab = Slab.take(BLOCK_SIZE)
    const { bytesRead } = await readFile(this.#file, slab.bytes(), 0, BLOCK_SIZE, this.#position)
    return this.#blockOf(slab, bytesRead)
  }

  async #close(): Promise<void> {
    // The caller that awaits the read gets its error. Here it only has to be over.
    await this.#ahead?.catch(() => {})
    await Promise.allSettled(this.#held)
    await closeFile(this.#file)
  }

  /** Undefined at the end of the file. */
  #blockOf(slab: Slab, length: number): Block | undefined {
    if (this.#position !== null) this.#position += length
    if (length > 0) return { slab, length }
    slab.release()
    return undefined
  }

  /** Keeps the file open until this has settled. */
  #hold<T>(begin: () => Promise<T>): Promise<T> {
    // Its number may be that of another file by now.
    if (this.#closing !== undefined) return Promise.reject(new Error('The file is closed'))
    const read = begin()
    this.#held.add(read)
    const left = (): void => {
      this.#held.delete(read)
    }
    read.then(left, left)
    return read
  }
}
