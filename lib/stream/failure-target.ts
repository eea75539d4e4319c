/** Where the failed items of a stream go, with `errors: rejects(path)`. The file itself is in lib/sinks/. */
import type { Place, RecordFormat } from '../codec/records/format.js'
import type { KeptFile } from '../resume/mark.js'

/** An item that has failed, as it is told to the target. */
export interface Rejected {
  readonly index: number
  readonly item: unknown
  /** Set if the item is the text of a record that cannot be read. */
  readonly format: RecordFormat | undefined
  /** Where it is in its input, if it is a record. */
  readonly place: Place | undefined
  readonly error: unknown
  readonly task: string
  readonly attempts: number
}

export interface FailureTarget {
  /** Whether no more items should be read now. */
  readonly isFull: boolean
  /** Set when it cannot take any more items. */
  readonly failure: { readonly error: unknown } | undefined
  /** How many items it has taken. */
  readonly count: number
  /** The length of the file with all of them, in bytes. */
  readonly length: number
  /** The file, if it is kept. */
  readonly kept?: KeptFile | undefined
  add(rejected: Rejected): void
  /** No more items come. Settles when all of them are safe. */
  finish(): Promise<void>
  /** Lets everybody see them. Finishes it first. One that is kept is published by the sink. */
  publish(): Promise<void>
  /** Something has failed: nothing is to be seen. Settles when nothing is left behind. Never throws, and never rejects. */
  discard(): Promise<void>
}

/**
 * The failed items of a stream, as others see them that can still fail: the stage that reads the stream, and the sink. They
 * are seen when the stream has ended, and all that hold them have released them.
 */
export interface HeldFailures {
  /** Keeps them from being seen. */
  hold(): void
  /** Once for each `hold()`. Settles when they can be seen, if no other holds them. */
  release(): Promise<void>
  /** They are never to be seen. Settles when nothing is left behind. Never rejects. */
  discard(): Promise<void>
}

/**
 * A target that goes on where an earlier run was, or may be continued by a later one. Its file stays if the stream fails,
 * once there is a checkpoint. The sink publishes it.
 */
export interface KeptFailures {
  /** How many bytes of the file an earlier run has written. 0: there was none. */
  readonly length: number
  /** How many items it has taken. */
  readonly count: number
  readonly hasCheckpoint: boolean
}

/**
 * Opens a target.
 *
 * @param wake To be called when something about it has changed.
 * @param inputs The paths of the inputs, as far as they are known.
 * @param kept Set if an earlier run is continued, or this run may be: then the sink publishes the file.
 */
export type OpenTarget = (wake: () => void, inputs: () => readonly string[], kept?: KeptFailures) => FailureTarget

/** Kept apart from the objects themselves: it is a matter between parts of this library. */
const openers = new WeakMap<object, OpenTarget>()

/** Makes an object a value of the option `errors`. */
export function offerTarget(rejects: object, open: OpenTarget): void {
  openers.set(rejects, open)
}

export function targetOf(rejects: unknown): OpenTarget | undefined {
  return typeof rejects === 'object' && rejects !== null ? openers.get(rejects) : undefined
}
