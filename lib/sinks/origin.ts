/** What is known of the source of an output: its files, and how much was read, failed and skipped on the way. */
import { Stream } from '../stream/stream.js'

export interface SourceCounts {
  /** Undefined: no stage reads the source. */
  readonly read: number | undefined
  readonly skipped: number
  readonly bytesRead: number
}

/** Looks at a source before it is read. */
export function traceSource(source: object): {
  readonly paths: () => readonly string[]
  readonly counts: () => SourceCounts
} {
  return {
    paths: () => [],
    counts: () => {
      const stats = source instanceof Stream ? source.stats() : undefined
      return { read: stats?.read, skipped: stats?.skipped ?? 0, bytesRead: 0 }
    },
  }
}
