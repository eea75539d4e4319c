/** What is known of the source of an output: its files, and how much was read, failed and skipped on the way. */
import type { InputMeter } from '../io/input-meter.js'
import { countsOf, originOf, type SourceCounts } from '../stream/origin.js'

export interface SourceTrace {
  /** Whether the file of each record may be known: files are read, and at most one stage is between. */
  readonly mayKnowFiles: boolean
  /** The paths of the input files, as far as they are known. */
  readonly paths: () => readonly string[]
  /** The number of an input file among all inputs, from 0. */
  readonly indexOf: (path: string) => number
  /** The globs that gave the paths. */
  readonly globs: () => readonly string[]
  readonly counts: () => SourceCounts
}

/** Looks at a source before it is read. */
export function traceSource(source: object): SourceTrace {
  const { input, stages = [] } = originOf(source) ?? {}
  const all = input === undefined ? () => [] : pathsOf(input)
  return {
    mayKnowFiles: input !== undefined && stages.length <= 1,
    paths: () => all().filter((path) => path !== undefined),
    indexOf: (path) => all().indexOf(path),
    globs: () => input?.globs ?? [],
    counts: () => countsOf({ input, stages }),
  }
}

/** The paths of the sources in turn; undefined for one that is no file. They change only when a source is reached. */
function pathsOf(input: InputMeter): () => readonly (string | undefined)[] {
  let known: readonly (string | undefined)[] = []
  let at = ''
  return () => {
    const { number, count } = input.place
    if (at !== `${number}/${count}`) {
      at = `${number}/${count}`
      known = input.sources.map(({ path }) => path)
    }
    return known
  }
}
