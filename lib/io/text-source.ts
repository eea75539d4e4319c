/** A source as text: opened at its turn, or before it if it is a compressed file. It knows nothing of lines. */
import type { Bytes } from './bytes.js'
import { closeQuietly } from './close-with-timeout.js'
import { isCompressedFile, isFile } from './compression.js'
import type { Reader } from './source.js'
import { openText, type OpenText, type TextOptions } from './text.js'

export class TextSource {
  readonly #bytes: Bytes
  readonly #options: TextOptions
  /** Its `close()` closes all that is open. */
  #input: Pick<Reader<Buffer>, 'close'> | undefined
  /** An opening before its turn. Never rejects. */
  #opening: Promise<OpenText | undefined> | undefined
  #closing: Promise<unknown> | undefined

  constructor(bytes: Bytes, options: TextOptions) {
    this.#bytes = bytes
    this.#options = options
  }

  /** The path, if the source is a file. */
  get path(): string | undefined {
    return this.#bytes.path
  }

  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  /**
   * Opens the source before its turn, if it is a compressed file. If that fails, it is opened again at its turn, and
   * that error is told.
   */
  openAhead(): void {
    this.#opening ??= this.#openAhead()
  }

  /** To be called once, at its turn, which is when other sources are opened. Undefined if it was closed meanwhile. */
  async open(): Promise<OpenText | undefined> {
    const openedAhead = this.#opening && (await this.#opening)
    return openedAhead ?? this.#open()
  }

  /** May be called at any time and again. */
  close(): Promise<unknown> {
    this.#closing ??= Promise.resolve(this.#input?.close())
    return this.#closing
  }

  async #openAhead(): Promise<OpenText | undefined> {
    if (!(await this.#isWorthIt())) return undefined
    try {
      return await this.#open()
    } catch {
      if (this.#input !== undefined) await closeQuietly(this.#input)
      this.#input = undefined
      return undefined
    }
  }

  /** Whether to open it ahead saves time. */
  #isWorthIt(): Promise<boolean> {
    const { decompress, detect } = this.#options
    if (decompress !== undefined) return isFile(this.path)
    return detect ? isCompressedFile(this.path) : Promise.resolve(false)
  }

  async #open(): Promise<OpenText | undefined> {
    if (this.isClosed) return undefined
    return openText(this.#bytes, this.#options, (input) => {
      this.#input = input
      return !this.isClosed
    })
  }
}
