/** A cut through all outputs of a run, and what a checkpoint says of it. */
import type { OutputLayout } from '../formats/output-layout.js'
import type { Json } from '../resume/mark.js'
import type { OutputState, SafeOutput } from './output.js'

/** What a checkpoint says of the outputs. */
interface OutputsState {
  readonly layout: Json
  /** For partitions: whether a record has had their column. */
  readonly hasColumn: boolean
  readonly outputs: readonly OutputState[]
}

/** A cut that is safe on disk. */
export interface SafeOutputs {
  /** For `restore()` of a later run, also after it was JSON. */
  readonly state: Json
  /** The texts behind the last whole members, in the order of the outputs. They are to be stored, too. */
  readonly rests: readonly Uint8Array[]
}

/** The most outputs that are made safe at a time. The system makes those that come together safe at once. */
const MAX_AT_ONCE = 8

export class OutputsCut {
  readonly #layout: Json
  readonly #hasColumn: boolean
  readonly #outputs: readonly (() => Promise<SafeOutput>)[]

  /** @param outputs Make the cuts of the outputs safe. */
  constructor(layout: OutputLayout, hasColumn: boolean, outputs: readonly (() => Promise<SafeOutput>)[]) {
    this.#layout = layout.note()
    this.#hasColumn = hasColumn
    this.#outputs = outputs
  }

  /**
   * Settles when the cut is safe on disk. More may be written meanwhile, but the outputs must not be finished. Rejects if
   * a write has failed, with its error.
   */
  async safe(): Promise<SafeOutputs> {
    const safe: SafeOutput[] = []
    const left = this.#outputs.entries()
    const next = async (): Promise<void> => {
      for (const [place, output] of left) safe[place] = await output()
    }
    await Promise.all(Array.from({ length: Math.min(MAX_AT_ONCE, this.#outputs.length) }, next))
    const outputs = safe.map(({ state }) => state)
    const state: OutputsState = { layout: this.#layout, hasColumn: this.#hasColumn, outputs }
    return { state: state as unknown as Json, rests: safe.flatMap(({ rest }) => rest) }
  }
}

/** What a checkpoint says of each output, with the text behind its last whole member. */
export function restored(state: Json, rests: Uint8Array): OutputsState & { readonly rests: readonly Uint8Array[] } {
  const { outputs, ...others } = state as unknown as OutputsState
  let end = 0
  const parts = outputs.map(({ rest }) => rests.subarray(end, (end += rest)))
  return { ...others, outputs, rests: parts }
}
