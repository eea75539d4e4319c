/** The standard output as a file: what is written is there when a call returns. To open its stream would take longer. */
import { writeSync } from 'node:fs'
import type { Body } from '../../sinks/body.js'
import { ReaderLeft } from '../../sinks/target.js'

/** Bytes are written from this size on. */
const BLOCK_SIZE = 64 * 1024
/** How long to wait for a reader, where the system does not, in milliseconds. */
const WAIT_MS = 1

export class FileBody implements Body {
  readonly isFull = false
  readonly #descriptor: number
  #chunks: Uint8Array[] = []
  #size = 0

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  /** @throws ReaderLeft if nobody reads, and the errors of the system. */
  add(bytes: Uint8Array): void {
    this.#chunks.push(bytes)
    this.#size += bytes.length
    if (this.#size >= BLOCK_SIZE) this.write()
  }

  /** Writes all that there is. @throws As `add()` does. */
  write(): void {
    if (this.#size === 0) return
    const [first] = this.#chunks
    const bytes = first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks)
    this.#chunks = []
    this.#size = 0
    for (let at = 0; at < bytes.length;) at += this.#writeSome(bytes, at)
  }

  room(): Promise<void> {
    return Promise.resolve()
  }

  flush(): Promise<void> {
    this.write()
    return Promise.resolve()
  }

  drain(): Promise<void> {
    this.write()
    return Promise.resolve()
  }

  /** @returns How many bytes were taken. */
  #writeSome(bytes: Uint8Array, at: number): number {
    try {
      return writeSync(this.#descriptor, bytes, at)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') throw new ReaderLeft()
      if (code !== 'EAGAIN') throw error
      // Another program has made it so that writes do not wait.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, WAIT_MS)
      return 0
    }
  }
}
