/** One output, from its records to its target, and how it is cut so that a later run can go on behind the cut. */
import type { OutputLayout } from '../formats/output-layout.js'
import { PlainBody, type CutBody } from './body.js'
import { BUFFER_SIZE, BufferedOutput } from './buffered-output.js'
import type { Compression } from './compression.js'
import { CompressedBody, MEMBER_SIZE } from './members.js'
import { ParquetBody, ROW_GROUP_SIZE } from './parquet-body.js'
import { RecordOutput } from './record-output.js'
import type { ByteTarget } from './target.js'

/** What a checkpoint says of an output. */
export interface OutputState {
  /** The partition, if it is one. */
  readonly name: string
  readonly path: string
  /** How many bytes of the unfinished file belong to the cut. */
  readonly length: number
  /** How much text belongs to it, and how much of that is behind the last whole member, in bytes. */
  readonly text: number
  readonly rest: number
  readonly records: number
  readonly hasBegun: boolean
}

/** A cut that is safe on disk, except the text behind its last whole member. */
export interface SafeOutput {
  readonly state: OutputState
  readonly rest: readonly Uint8Array[]
}

/** In bytes. Default: those of an output that is alone. */
export interface OutputSizes {
  readonly bufferSize?: number
  readonly memberSize?: number
  /** Of the rows in a row group. */
  readonly groupSize?: number
}

export interface OutputOptions extends OutputSizes {
  readonly compression: Compression | undefined
  /** Called once, when it fails. */
  readonly onFail: (error: unknown) => void
  /** Default: empty. */
  readonly name?: string
}

export class Output<T extends ByteTarget = ByteTarget> {
  readonly name: string
  readonly target: T
  readonly buffered: BufferedOutput
  readonly body: CutBody
  readonly records: RecordOutput
  /** How many bytes of the file are safe. */
  #safe = 0

  constructor(target: T, layout: OutputLayout, options: OutputOptions) {
    const { onFail, name = '', bufferSize = BUFFER_SIZE } = options
    this.name = name
    this.target = target
    this.buffered = new BufferedOutput(target, onFail, bufferSize)
    this.body = createBody(this.buffered, layout, options)
    this.records = new RecordOutput(layout, this.body, name)
  }

  /**
   * Cuts it behind what was added.
   *
   * @returns Makes the cut safe. It rejects if a write has failed.
   */
  cut(): () => Promise<SafeOutput> {
    const { records, hasBegun } = this.records.cut()
    const body = this.body.cut()
    const { name } = this
    const { path = '' } = this.target
    return async () => {
      const length = await body.written()
      if (length > this.#safe) {
        await this.target.sync?.()
        this.#safe = length
      }
      const rest = body.rest.reduce((sum, { length }) => sum + length, 0)
      return { state: { name, path, length, text: body.text, rest, records, hasBegun }, rest: body.rest }
    }
  }

  /** Goes on behind a cut. To be called before the target is opened. */
  restore(state: OutputState, rest: Uint8Array): void {
    this.#safe = state.length
    this.target.restore?.(state.length)
    this.buffered.restore(state.length)
    this.records.restore(state)
    this.body.restore(state.text, rest)
  }
}

function createBody(
  output: BufferedOutput,
  { packed }: OutputLayout,
  { compression, onFail, name = '', memberSize = MEMBER_SIZE, groupSize = ROW_GROUP_SIZE }: OutputOptions,
): CutBody {
  if (packed !== undefined) return new ParquetBody(output, packed, name, groupSize)
  if (compression === undefined) return new PlainBody(output)
  return new CompressedBody(output, compression, onFail, memberSize)
}
