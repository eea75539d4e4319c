/** What is known of the source of an output: its files, and how much was read, failed and skipped on the way. */
import { originOf } from '../stream/origin.js'

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
  const { input, stages = [] } = originOf(source) ?? {}
  return {
    paths: () => (input?.sources ?? []).map(({ path }) => path).filter((path) => path !== undefined),
    counts: () => {
      const stats = stages.map((stage) => stage.stats())
      return {
        read: stats[0]?.read,
        skipped: stats.reduce((sum, { skipped }) => sum + skipped, 0),
        bytesRead: input?.read ?? 0,
      }
    },
  }
}
