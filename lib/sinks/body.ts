/** The bytes of an output on their way to its target: as they are, or compressed. */
import type { BufferedOutput } from './buffered-output.js'

/** Where a body was cut. */
export interface BodyCut {
  /** How much text there was, in bytes. */
  readonly text: number
  /** The text that is not in the file yet: what is behind the last whole member. */
  readonly rest: readonly Uint8Array[]
  /** Settles when all before the rest is written, with its length in the file. Rejects if that has failed. */
  readonly written: () => Promise<number>
}

export interface Body {
  /** Whether nothing more should be added now. */
  readonly isFull: boolean
  /** Adds bytes. @param ends Where records end in them. */
  add(bytes: Uint8Array, ends: ArrayLike<number>): void
  /** Settles when there may be room. */
  room(): Promise<void>
  /** Settles when all that can be written now has gone to the target, or that has failed. */
  flush(): Promise<void>
  /** Nothing more is added. Settles when all of it has gone to the target, or that has failed. */
  drain(): Promise<void>
}

/** A body that can be cut: that of a file. */
export interface CutBody extends Body {
  /** Cuts it behind what was added. */
  cut(): BodyCut
  /** Goes on behind a cut, before anything is added. @param text How much text there was, with the rest. */
  restore(text: number, rest: Uint8Array): void
}

export class PlainBody implements CutBody {
  readonly #output: BufferedOutput

  constructor(output: BufferedOutput) {
    this.#output = output
  }

  get isFull(): boolean {
    return this.#output.isFull
  }

  add(bytes: Uint8Array): void {
    this.#output.add(bytes)
  }

  room(): Promise<void> {
    return this.#output.room()
  }

  flush(): Promise<void> {
    return this.#output.drain()
  }

  drain(): Promise<void> {
    return this.#output.drain()
  }

  cut(): BodyCut {
    const length = this.#output.added
    return {
      text: length,
      rest: [],
      written: async () => {
        await this.#output.reach(length)
        return length
      },
    }
  }

  restore(): void {
    // The output knows its length.
  }
}
