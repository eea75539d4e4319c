/** What bytes are written to, as the output sees it: a file, or a stream. */

export interface ByteTarget {
  /** The path of the file, where it is one. */
  readonly path: string | undefined
  /** Whether another program may wait for what is written: then small amounts are written, too. */
  readonly isLive: boolean
  /** Makes it ready. @param onFail Called if it fails while nothing is written, and when its reader has left. */
  open(onFail: (error: unknown) => void): Promise<void>
  /** Settles when all is written, or taken. Nobody changes the bytes after that. One call at a time. */
  write(chunks: readonly Uint8Array[]): Promise<void>
  /** All is written: makes it safe, and ends a stream. */
  finish(): Promise<void>
  /** Makes safe what was written so far, for a later run. Of files alone. Also while more is written. */
  sync?(): Promise<void>
  /** Before `open()`: an earlier run has written this many bytes. Of files alone. */
  restore?(length: number): void
  /** Lets everybody see it, once all outputs are finished. */
  publish(): Promise<void>
  /** There was an error: removes or ends it. After `open()`, also if that has failed; not while a write is under way. Never rejects. */
  discard(error: unknown): Promise<void>
}

/** The reader of the standard output has left: that is no failure. */
export class ReaderLeft extends Error {}
