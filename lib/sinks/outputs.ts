/** The outputs of a run, as the run sees them: one, or one for each partition. */
import type { Formatted } from '../formats/formatted.js'
import type { OutputLayout } from '../formats/output-layout.js'
import type { Json } from '../resume/mark.js'
import type { Compression } from './compression.js'
import { Output, type OutputSizes } from './output.js'
import { OutputsCut, restored } from './outputs-cut.js'
import type { ByteTarget } from './target.js'

/** A file that was written. */
export interface WrittenFile {
  readonly path: string
  /** Its records, without the header. */
  readonly records: number
  /** Its size. */
  readonly bytes: number
}

export interface Outputs {
  /** Whether another program may read what is written before the end. */
  readonly isLive: boolean
  /** Whether nothing more should be added now. */
  readonly isFull: boolean
  readonly records: number
  readonly bytes: number
  readonly files: readonly WrittenFile[]
  /** Before `open()`: goes on where an earlier run was. @param state That of its cut, with its texts in one. */
  restore(state: Json, rests: Uint8Array): void
  open(): Promise<void>
  /** Adds the next records, which the layout has settled. */
  add(records: Formatted): Promise<void> | undefined
  /** Settles when there may be room. */
  room(): Promise<void>
  /** Settles when all that was added has been written. There may be more. */
  flush(): Promise<void>
  /** Cuts the outputs behind what was added. Only of files. Until the cut is safe, there is no other. */
  cut(): OutputsCut
  /** Nothing more is added. Settles when all has been written, or one write has failed. */
  drain(): Promise<void>
  /** Makes all outputs safe. */
  finish(): Promise<void>
  /** Lets everybody see them. */
  publish(): Promise<void>
  /** Removes or ends what was not published. Never rejects. */
  discard(error: unknown): Promise<void>
}

export class SingleOutput implements Outputs {
  readonly isLive: boolean
  readonly #layout: OutputLayout
  readonly #output: Output
  readonly #onFail: (error: unknown) => void

  constructor(
    target: ByteTarget,
    layout: OutputLayout,
    compression: Compression | undefined,
    onFail: (error: unknown) => void,
    sizes: OutputSizes = {},
  ) {
    this.isLive = target.isLive
    this.#layout = layout
    this.#onFail = onFail
    this.#output = new Output(target, layout, { ...sizes, compression, onFail })
  }

  get isFull(): boolean {
    return this.#output.records.isFull
  }

  get records(): number {
    return this.#output.records.count
  }

  get bytes(): number {
    return this.#output.buffered.written
  }

  get files(): WrittenFile[] {
    const { path } = this.#output.target
    return path === undefined ? [] : [{ path, records: this.records, bytes: this.bytes }]
  }

  restore(state: Json, rests: Uint8Array): void {
    const { layout, outputs, rests: own } = restored(state, rests)
    this.#layout.restore(layout)
    const [output] = outputs
    if (output !== undefined) this.#output.restore(output, own[0] ?? new Uint8Array(0))
  }

  open(): Promise<void> {
    return this.#output.target.open(this.#onFail)
  }

  add(records: Formatted): undefined {
    this.#output.records.add(records)
  }

  room(): Promise<void> {
    return this.#output.records.room()
  }

  flush(): Promise<void> {
    return this.#output.buffered.drain()
  }

  cut(): OutputsCut {
    return new OutputsCut(this.#layout, false, [this.#output.cut()])
  }

  drain(): Promise<void> {
    return this.#output.records.drain()
  }

  finish(): Promise<void> {
    return this.#output.target.finish()
  }

  publish(): Promise<void> {
    return this.#output.target.publish()
  }

  discard(error: unknown): Promise<void> {
    return this.#output.buffered.discard(error)
  }
}
