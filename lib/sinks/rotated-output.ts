/**
 * An output in several files, one after the other: none has more than a number of bytes of text, and each has whole
 * records. One is written at a time. All are published at the end.
 */
import type { Formatted } from '../formats/formatted.js'
import type { OutputLayout } from '../formats/output-layout.js'
import { AtomicFile, type FileOptions } from './atomic-file.js'
import { PlainBody } from './body.js'
import { BufferedOutput } from './buffered-output.js'
import type { Compression } from './compression.js'
import { CompressedBody } from './members.js'
import type { Outputs, WrittenFile } from './outputs.js'
import { RecordOutput } from './record-output.js'

export interface RotationOptions extends FileOptions {
  /** The path of the file with this number, from 0. */
  readonly pathOf: (number: number) => string
  readonly compression: Compression | undefined
  /** The most bytes of text in a file, before compression. A longer record has a file for itself. */
  readonly limit: number
}

interface Part {
  readonly file: AtomicFile
  readonly output: BufferedOutput
  readonly records: RecordOutput
}

export class RotatedOutput implements Outputs {
  readonly isLive = false
  readonly #layout: OutputLayout
  readonly #options: RotationOptions
  readonly #onFail: (error: unknown) => void
  readonly #all: Part[] = []
  /** The last file that is full: settles when it is safe, or has failed. */
  #finishing: Promise<void> = Promise.resolve()
  #hasFailed = false

  constructor(layout: OutputLayout, options: RotationOptions, onFail: (error: unknown) => void) {
    this.#layout = layout
    this.#options = options
    this.#onFail = (error) => {
      this.#hasFailed = true
      onFail(error)
    }
  }

  get isFull(): boolean {
    return this.#last.records.isFull
  }

  get records(): number {
    return this.#all.reduce((sum, { records }) => sum + records.count, 0)
  }

  get bytes(): number {
    return this.#all.reduce((sum, { output }) => sum + output.written, 0)
  }

  get files(): WrittenFile[] {
    return this.#all.map(({ file, output, records }) => ({
      path: file.path,
      records: records.count,
      bytes: output.written,
    }))
  }

  /** The first file is there without any records, too. */
  open(): Promise<void> {
    return this.#begin().file.open()
  }

  async add(records: Formatted): Promise<void> {
    let from = 0
    while (from < records.length && !this.#hasFailed) {
      const to = this.#lastThatFits(records, from)
      if (to === from) {
        await this.#rotate()
        continue
      }
      this.#last.records.add(to - from === records.length ? records : records.slice(from, to))
      from = to
      if (from === records.length) return
      while (this.#last.records.isFull && !this.#hasFailed) await this.#last.records.room()
    }
  }

  room(): Promise<void> {
    return this.#last.records.room()
  }

  async flush(): Promise<void> {
    // Nobody reads the files before the end.
  }

  async drain(): Promise<void> {
    await this.#finishing
    if (!this.#hasFailed) await this.#last.records.drain()
  }

  /** The others are finished. */
  finish(): Promise<void> {
    return this.#last.file.finish()
  }

  async publish(): Promise<void> {
    for (const { file } of this.#all) await file.publish()
  }

  async discard(error: unknown): Promise<void> {
    this.#hasFailed = true
    // It may be about to open its file again.
    await this.#finishing
    for (const { output } of this.#all) await output.discard(error)
  }

  get #last(): Part {
    return this.#all.at(-1) ?? this.#begin()
  }

  /** Up to which record the next ones fit into the last file: at least one if it has none. */
  #lastThatFits({ ends, length }: Formatted, from: number): number {
    const { records } = this.#last
    const start = from === 0 ? 0 : (ends[from - 1] ?? 0)
    const room = this.#options.limit - records.lengthWith(0)
    const fits = (record: number): boolean => (ends[record] ?? 0) - start <= room
    let to = records.count === 0 && from < length ? from + 1 : from
    while (to < length && fits(to)) to++
    return to
  }

  /** Ends the last file, and begins the next one. Only one file is being made safe at a time. */
  async #rotate(): Promise<void> {
    const full = this.#last
    await this.#finishing
    if (this.#hasFailed) return
    this.#finishing = this.#finish(full)
    await this.#begin().file.open()
  }

  /** Never rejects. */
  async #finish({ records, file }: Part): Promise<void> {
    try {
      await records.drain()
      if (!this.#hasFailed) await file.finish()
    } catch (error) {
      this.#onFail(error)
    }
  }

  #begin(): Part {
    const { pathOf, compression } = this.#options
    const file = new AtomicFile(pathOf(this.#all.length), this.#options)
    const output = new BufferedOutput(file, this.#onFail)
    const body =
      compression === undefined ? new PlainBody(output) : new CompressedBody(output, compression, this.#onFail)
    const part = { file, output, records: new RecordOutput(this.#layout, body) }
    this.#all.push(part)
    return part
  }
}
