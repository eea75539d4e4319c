/** The figures of a run: its result tells them, and its checkpoint or its position stores them. */

/** What a run has done, with the runs before it that it has gone on from. */
interface RunCounts {
  /** Items that were read from the source of the first stage. */
  readonly read: number
  /** Results that were written. */
  readonly written: number
  /** Failed items that were written to the file of `rejects()`. */
  readonly rejected: number
  /** Failed items that stages left out, with `errors: 'skip'`. */
  readonly skipped: number
  /** Bytes of the input, as they are stored: compressed ones before they are inflated. 0 if the source is not a reader of bytes. */
  readonly bytesRead: number
  /** How long it took, in milliseconds. */
  readonly duration: number
}

/** Of `write()`. */
export interface WriteCounts extends RunCounts {
  /** Bytes of the output, as they are stored. */
  readonly bytesWritten: number
}

/** Of `commit()`. */
export interface CommitCounts extends RunCounts {
  /** Transactions. */
  readonly commits: number
}

const NOTHING: RunCounts = { read: 0, written: 0, rejected: 0, skipped: 0, bytesRead: 0, duration: 0 }
export const NOTHING_WRITTEN: WriteCounts = { ...NOTHING, bytesWritten: 0 }
export const NOTHING_COMMITTED: CommitCounts = { ...NOTHING, commits: 0 }
