/**
 * Collects bytes for a target, and writes them in large blocks. One block is written while the next one is collected:
 * when both are full, `isFull` says that nothing more should come.
 */
import { closeWithTimeout } from '../io/close-with-timeout.js'
import type { ByteTarget } from './target.js'

/** The least size of a block. */
export const BUFFER_SIZE: number = 512 * 1024

/** How long bytes may wait for others, where another program may wait for them. */
const FLUSH_DELAY_MS = 20

export class BufferedOutput {
  readonly target: ByteTarget
  /** How many bytes were written. */
  written = 0
  /** How many bytes there are, with those that wait. */
  added = 0
  readonly #bufferSize: number
  readonly #onFail: (error: unknown) => void
  #chunks: Uint8Array[] = []
  #size = 0
  #writing: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #flushTimer: NodeJS.Timeout | undefined

  /** @param onFail Called once, when a write fails. */
  constructor(target: ByteTarget, onFail: (error: unknown) => void, bufferSize: number = BUFFER_SIZE) {
    this.target = target
    this.#onFail = onFail
    this.#bufferSize = bufferSize
  }

  get isFull(): boolean {
    return this.#writing !== undefined && this.#size >= this.#bufferSize
  }

  /** An earlier run has written this many bytes. */
  restore(length: number): void {
    this.written = length
    this.added = length
  }

  /** Takes bytes, which nobody changes any more. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.added += bytes.length
    this.#chunks.push(bytes)
    this.#size += bytes.length
    if (this.#size >= this.#bufferSize) this.#write()
    else if (this.target.isLive) {
      this.#flushTimer ??= setTimeout(() => {
        this.#flushTimer = undefined
        this.#write()
      }, FLUSH_DELAY_MS)
    }
  }

  /** Settles when the block under way is written, or has failed. */
  async room(): Promise<void> {
    await this.#writing
  }

  /** Settles when all bytes are written, or one write has failed. */
  async drain(): Promise<void> {
    while (this.#failure === undefined && (this.#writing !== undefined || this.#size > 0)) {
      this.#write()
      await this.#writing
    }
  }

  /** Settles when its first bytes, up to this length, are written. Rejects if a write has failed. */
  async reach(length: number): Promise<void> {
    while (this.written < length) {
      if (this.#failure !== undefined) throw this.#failure.error
      this.#write()
      await this.#writing
    }
  }

  /** Writes nothing more, and removes or ends the target. Never rejects. */
  async discard(error: unknown): Promise<void> {
    this.#failure ??= { error }
    clearTimeout(this.#flushTimer)
    this.#chunks = []
    this.#size = 0
    // A write to a file ends soon. One to a stream may never end.
    if (!this.target.isLive) await this.#writing
    await closeWithTimeout({ close: () => this.target.discard(error) })
  }

  /** Begins to write what there is, unless a write is under way. Never throws. */
  #write(): void {
    if (this.#writing !== undefined || this.#size === 0 || this.#failure !== undefined) return
    clearTimeout(this.#flushTimer)
    this.#flushTimer = undefined
    const chunks = this.#chunks
    const size = this.#size
    this.#chunks = []
    this.#size = 0
    this.#writing = this.target.write(chunks).then(
      () => {
        this.#writing = undefined
        this.written += size
        if (this.#size >= this.#bufferSize) this.#write()
      },
      (error: unknown) => {
        this.#writing = undefined
        if (this.#failure !== undefined) return
        this.#failure = { error }
        this.#onFail(error)
      },
    )
  }
}
