/** One output: its records in order, what stands around them, and its way to the target. */
import { Formatted } from '../formats/formatted.js'
import type { OutputLayout } from '../formats/output-layout.js'
import type { Body } from './body.js'

/** Shorter text is collected before it becomes bytes: in UTF-16 units. */
const MIN_TEXT_LENGTH = 64 * 1024

const COMMA = ','.charCodeAt(0)
const BRACKET = '['

export class RecordOutput {
  /** How many records it has. */
  count = 0
  readonly #layout: OutputLayout
  readonly #body: Body
  readonly #name: string
  #text = ''
  #ends: number[] = []
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

  /** Adds the next records, which the layout has settled. */
  add(records: Formatted): void {
    if (records.length === 0) return
    this.count += records.length
    const { text } = records
    if (text === undefined) {
      this.flush()
      this.#addBytes(records)
      return
    }
    const ends = records.unitEnds
    const before = this.#text.length
    for (let record = 0; record < records.length; record++) this.#ends.push(before + (ends[record] ?? 0))
    this.#text += text
    if (this.#text.length >= MIN_TEXT_LENGTH) this.flush()
  }

  /** Hands over the text that was collected. */
  flush(): void {
    if (this.#ends.length === 0) return
    const records = new Formatted({ text: this.#text }, this.#ends)
    this.#text = ''
    this.#ends = []
    this.#addBytes(records)
  }

  /** Settles when all of it has gone to the target, or that has failed. */
  async drain(): Promise<void> {
    this.flush()
    if (!this.#hasBegun && this.#layout.format.kind === 'csv') this.#addText(this.#layout.head(this.#name))
    this.#addText(this.#layout.tail(this.count === 0))
    await this.#body.drain()
  }

  #addBytes(records: Formatted): void {
    const { bytes } = records
    if (!this.#hasBegun) {
      this.#hasBegun = true
      const head = this.#layout.head(this.#name)
      // An array begins with a bracket in the place of the comma between two elements.
      if (bytes[0] === COMMA && head === BRACKET) bytes[0] = BRACKET.charCodeAt(0)
      else this.#addText(head)
    }
    this.#body.add(bytes, () => records.byteEnds)
  }

  #addText(text: string): void {
    if (text !== '') this.#body.add(Buffer.from(text), () => [])
  }
}
