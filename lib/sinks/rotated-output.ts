/**
 * An output in several files, one after the other: none has more than a number of bytes of text, and each has whole
 * records. One is written at a time. All are published at the end.
 */
import type { Formatted } from '../formats/formatted.js'
import type { OutputLayout } from '../formats/output-layout.js'
import type { Json } from '../resume/mark.js'
import { AtomicFile, type FileOptions } from './atomic-file.js'
import type { Compression } from './compression.js'
import { Output } from './output.js'
import type { Outputs, WrittenFile } from './outputs.js'
import { OutputsCut, restored } from './outputs-cut.js'

export interface RotationOptions extends FileOptions {
  /** The path of the file with this number, from 0. */
  readonly pathOf: (number: number) => string
  readonly compression: Compression | undefined
  /** The most bytes of text in a file, before compression. A longer record has a file for itself. */
  readonly limit: number
}

type Part = Output<AtomicFile>

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
    return this.#all.reduce((sum, { buffered }) => sum + buffered.written, 0)
  }

  get files(): WrittenFile[] {
    return this.#all.map(({ target, buffered, records }) => ({
      path: target.path,
      records: records.count,
      bytes: buffered.written,
    }))
  }

  restore(state: Json, rests: Uint8Array): void {
    const { layout, outputs, rests: own } = restored(state, rests)
    this.#layout.restore(layout)
    for (const [place, output] of outputs.entries()) this.#begin().restore(output, own[place] ?? new Uint8Array(0))
  }

  /** The first file is there without any records, too. Those of an earlier run are checked: all but the last are full. */
  async open(): Promise<void> {
    const last = this.#last
    for (const part of this.#all) {
      await part.target.open()
      if (part !== last) await part.target.finish()
    }
    await this.#options.created?.removeOthers(new Set(this.#all.map(({ target }) => target.part)))
  }

  /** What stands behind the records of a file was added when it was full. */
  cut(): OutputsCut {
    const outputs = this.#all.map((part) => part.cut())
    return new OutputsCut(this.#layout, false, outputs)
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
    return this.#last.target.finish()
  }

  async publish(): Promise<void> {
    // If one cannot be published, none is.
    for (const { target } of this.#all) await target.check()
    for (const { target } of this.#all) await target.publish()
  }

  async discard(error: unknown): Promise<void> {
    this.#hasFailed = true
    // It may be about to open its file again.
    await this.#finishing
    for (const { buffered } of this.#all) await buffered.discard(error)
    await this.#options.created?.close()
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
    await this.#begin().target.open()
  }

  /** Never rejects. */
  async #finish({ records, target }: Part): Promise<void> {
    try {
      await records.drain()
      if (!this.#hasFailed) await target.finish()
    } catch (error) {
      this.#onFail(error)
    }
  }

  #begin(): Part {
    const { pathOf, compression } = this.#options
    const file = new AtomicFile(pathOf(this.#all.length), this.#options)
    const part = new Output(file, this.#layout, { compression, onFail: this.#onFail })
    this.#all.push(part)
    return part
  }
}
