/** One output: its records in order, what stands around them, and its way to the target. */
import type { Formatted } from '../formats/formatted.js'
import type { OutputLayout } from '../formats/output-layout.js'
import type { Body } from './body.js'

const COMMA = ','.charCodeAt(0)
const BRACKET = '['

/** Where the records of an output were cut. */
export interface RecordCut {
  readonly records: number
  /** Whether what stands before the first record was added. */
  readonly hasBegun: boolean
}

export class RecordOutput {
  /** How many records it has. */
  count = 0
  /** How many bytes of text, before compression. */
  #length = 0
  readonly #layout: OutputLayout
  readonly #body: Body
  readonly #name: string
  #hasBegun = false

  /** @param name The partition, if it is one. */
  constructor(layout: OutputLayout, body: Body, name = '') {
    this.#layout = layout
    this.#body = body
    this.#name = name
  }

  get isFull(): boolean {
    return this.#body.isFull
  }

  room(): Promise<void> {
    return this.#body.room()
  }

  /** How many bytes of text it would have with others, and with what stands around the records. */
  lengthWith(length: number): number {
    const head = this.#layout.head(this.#name)
    // That of an array replaces the first comma.
    const before = this.#hasBegun || head === BRACKET ? 0 : Buffer.byteLength(head)
    return this.#length + before + length + Buffer.byteLength(this.#layout.tail(false))
  }

  /** Adds the next records, which the layout has settled. */
  add(records: Formatted): void {
    if (records.length === 0) return
    this.count += records.length
    const { bytes } = records
    if (!this.#hasBegun) {
      this.#hasBegun = true
      const head = this.#layout.head(this.#name)
      // An array begins with a bracket in the place of the comma between two elements.
      if (bytes[0] === COMMA && head === BRACKET) bytes[0] = BRACKET.charCodeAt(0)
      else this.#addText(head)
    }
    this.#length += bytes.length
    this.#body.add(bytes, records.ends)
  }

  /** Settles when all of it has gone to the target, or that has failed. */
  async drain(): Promise<void> {
    if (!this.#hasBegun && this.#layout.format.kind === 'csv') this.#addText(this.#layout.head(this.#name))
    this.#addText(this.#layout.tail(this.count === 0))
    await this.#body.drain()
  }

  /** Cuts it behind the records that were added. */
  cut(): RecordCut {
    return { records: this.count, hasBegun: this.#hasBegun }
  }

  /** Goes on behind a cut, before anything is added. @param text How much text there was, in bytes. */
  restore({ records, hasBegun, text }: RecordCut & { readonly text: number }): void {
    this.count = records
    this.#length = text
    this.#hasBegun = hasBegun
  }

  #addText(text: string): void {
    if (text === '') return
    const bytes = Buffer.from(text)
    this.#length += bytes.length
    this.#body.add(bytes, [])
  }
}
