/** The outputs of a run, as the run sees them: one, or one for each partition. */
import type { Formatted } from '../formats/formatted.js'
import type { OutputLayout } from '../formats/output-layout.js'
import { PlainBody } from './body.js'
import { BufferedOutput } from './buffered-output.js'
import type { Compression } from './compression.js'
import { CompressedBody } from './members.js'
import { RecordOutput } from './record-output.js'
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
  open(): Promise<void>
  /** Adds the next records, which the layout has settled. */
  add(records: Formatted): Promise<void> | undefined
  /** Settles when there may be room. */
  room(): Promise<void>
  /** Settles when all that was added has been written. There may be more. */
  flush(): Promise<void>
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
  readonly #target: ByteTarget
  readonly #output: BufferedOutput
  readonly #records: RecordOutput
  readonly #onFail: (error: unknown) => void

  constructor(
    target: ByteTarget,
    layout: OutputLayout,
    compression: Compression | undefined,
    onFail: (error: unknown) => void,
  ) {
    this.isLive = target.isLive
    this.#target = target
    this.#onFail = onFail
    this.#output = new BufferedOutput(target, onFail)
    const body =
      compression === undefined ? new PlainBody(this.#output) : new CompressedBody(this.#output, compression, onFail)
    this.#records = new RecordOutput(layout, body)
  }

  get isFull(): boolean {
    return this.#records.isFull
  }

  get records(): number {
    return this.#records.count
  }

  get bytes(): number {
    return this.#output.written
  }

  get files(): WrittenFile[] {
    const { path } = this.#target
    return path === undefined ? [] : [{ path, records: this.records, bytes: this.bytes }]
  }

  open(): Promise<void> {
    return this.#target.open(this.#onFail)
  }

  add(records: Formatted): undefined {
    this.#records.add(records)
  }

  room(): Promise<void> {
    return this.#records.room()
  }

  flush(): Promise<void> {
    return this.#output.drain()
  }

  drain(): Promise<void> {
    return this.#records.drain()
  }

  finish(): Promise<void> {
    return this.#target.finish()
  }

  publish(): Promise<void> {
    return this.#target.publish()
  }

  discard(error: unknown): Promise<void> {
    return this.#output.discard(error)
  }
}
