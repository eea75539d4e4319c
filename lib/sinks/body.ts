/** The bytes of an output on their way to its target: as they are, or compressed. */
import type { BufferedOutput } from './buffered-output.js'

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

export class PlainBody implements Body {
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
}
