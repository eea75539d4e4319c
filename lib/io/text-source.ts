/** A source as text: opened at its turn, or before it if it is a compressed file. It knows nothing of lines. */
import type { FileIdentity } from '../resume/identity.js'
import type { Json } from '../resume/mark.js'
import type { Bytes } from './bytes.js'
import { closeQuietly } from './close-with-timeout.js'
import { isCompressedFile, isFile } from './compression.js'
import type { Reader } from './source.js'
import { openText, type OpenText, type TextAccess, type TextOptions } from './text.js'
import type { TextPlace } from './text-place.js'

export class TextSource {
  readonly #bytes: Bytes
  readonly #options: TextOptions
  /** Its `close()` closes all that is open. */
  #input: Pick<Reader<Buffer>, 'close'> | undefined
  /** An opening before its turn. Never rejects. */
  #opening: Promise<OpenText | undefined> | undefined
  #closing: Promise<unknown> | undefined
  readonly #access: TextAccess | undefined
  #text: OpenText | undefined

  /** @param access If a later run may have to read it again. */
  constructor(bytes: Bytes, options: TextOptions, access?: TextAccess) {
    this.#bytes = bytes
    this.#options = options
    this.#access = access
  }

  /** Where its reading goes on; undefined if that is at its start. */
  get from(): TextPlace | undefined {
    return this.#access?.from
  }

  /** The same source, to be read from its start. */
  atStart(): TextSource {
    return new TextSource(this.#bytes, this.#options)
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
    this.#text = openedAhead ?? (await this.#open())
    return this.#text
  }

  /** A place in the text that has been given, once it is open. No place before it is asked for from now on. */
  placeOf(given: { readonly offset: number; readonly record: number; readonly line: number }, state?: Json): TextPlace {
    const { start = 0, isDirect = false, members } = this.#text ?? {}
    const { offset, record, line } = given
    const member = members?.before(offset)
    return { offset, record, line, start, isDirect, ...(member && { member }), ...(state !== undefined && { state }) }
  }

  /** What is known of the file up to a place that has been reached. Undefined: it has not been opened. */
  identity(at: TextPlace | undefined): Promise<FileIdentity> | undefined {
    return this.#access?.watch.identity(at?.isDirect === true ? at.offset : undefined)
  }

  /** May be called at any time and again. */
  close(): Promise<unknown> {
    if (this.#closing === undefined) this.#access?.watch.ended()
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
    return openText(
      this.#bytes,
      this.#options,
      (input) => {
        this.#input = input
        return !this.isClosed
      },
      this.#access,
    )
  }
}
