/**
 * What a command line asks for. It is checked as far as that is possible before anything is read: the syntax of
 * expressions, and which options go together. Files, modules and their exports are not looked at yet.
 */

/** `MODULE#EXPORT`. */
export interface TaskReference {
  /** As given. */
  readonly text: string
  /** A path or a package. */
  readonly module: string
  /** Default: `default`. */
  readonly exported: string
}

/** What a stage does with an item: a task, or an expression of JavaScript, and the option that gave it (`-e`). */
export type Work = { readonly task: TaskReference } | { readonly expression: string; readonly option: string }

export interface PlannedStage {
  /** One result per item, keep it or not, or each element of what comes back. */
  readonly kind: 'map' | 'filter' | 'flatMap'
  readonly work: Work
}

export type InputFormat = 'lines' | 'csv' | 'tsv' | 'ndjson' | 'json' | 'fixed' | 'parquet'
export type OutputFormat = 'text' | 'ndjson' | 'csv' | 'tsv' | 'json' | 'parquet'
export type CompressionFormat = 'gzip' | 'zstd'

export interface PlannedInput {
  /** Paths, globs, and `-` for the standard input, in the order given. Empty: the standard input. */
  readonly files: readonly string[]
  /** Undefined: by the suffix of each file, or else lines. */
  readonly format?: InputFormat
  /** With `json`: the path to the array. */
  readonly path?: string
  /** With `fixed`: where each column begins, and behind its end, in characters from 0. */
  readonly fixed?: Readonly<Record<string, readonly [start: number, end: number]>>
  /** With a header, the columns to read. Without one, the names of all columns. */
  readonly columns?: readonly string[]
  readonly header: boolean
  /** With `csv` and `tsv`: one character. */
  readonly delimiter?: string
  readonly encoding?: string
  /** Lines end with a NUL character. */
  readonly isNul: boolean
  /** A program and its arguments. */
  readonly decompress?: readonly string[]
  /** A file of rejects. Then `files` is empty. */
  readonly replay?: string
  /** How many items of the input to leave out first. */
  readonly skip: number
  /** The share of the other items that is read, from 0 to 1. Undefined: all of them. */
  readonly sample?: number
  /** Which sample. */
  readonly seed?: number
  /** How many results to give, and then to end. With a reduction: how many items it gets. Undefined: all. */
  readonly head?: number
}

export interface PlannedOutput {
  /** A path or a template. Undefined: the standard output. */
  readonly target?: string
  /** Undefined: by the suffix of the target, or else strings as they are, and other values as NDJSON. */
  readonly format?: OutputFormat
  /** Undefined: by the suffix of the target. */
  readonly compress?: CompressionFormat
  /** The most bytes of text in a file. Undefined: one file. */
  readonly rotate?: number
  /** One folder for each value of a column, or for each text that an expression over `d` gives. */
  readonly partition?: { readonly column: string } | { readonly expression: string }
}

export interface PlannedRun {
  /** At least 1. Undefined: the number of cores. */
  readonly workers?: number
  readonly isUnordered: boolean
  readonly window?: number
  /** In milliseconds. */
  readonly timeout?: number
  readonly retries?: number
  readonly isDry: boolean
}

export interface PlannedFaults {
  readonly rejects?: string
  readonly skipErrors: boolean
  readonly maxErrors?: number | `${number}%`
}

/** How a run goes on where an earlier one was stopped. */
export interface PlannedResume {
  readonly isOn: boolean
  /** The path of the checkpoint. Undefined: that of the output, with `.checkpoint` behind it. */
  readonly checkpoint?: string
  readonly allowsChangedCode: boolean
}

export interface PlannedReport {
  readonly progress: 'auto' | 'always' | 'never' | 'plain' | 'json'
  /** The path of a report: `.html`, `.svg` or `.json`. */
  readonly report?: string
  readonly isQuiet: boolean
  readonly isVerbose: boolean
  readonly color: 'auto' | 'always' | 'never'
}

export interface CommandPlan {
  readonly stages: readonly PlannedStage[]
  readonly reduce?: TaskReference
  /** `-M NAME=MODULE`: what expressions see besides `d`, `i`, `file` and `record`. */
  readonly modules: readonly { readonly name: string; readonly module: string }[]
  readonly input: PlannedInput
  readonly output: PlannedOutput
  readonly run: PlannedRun
  readonly faults: PlannedFaults
  readonly resume: PlannedResume
  readonly tell: PlannedReport
}

/** The path of the checkpoint; undefined if a run begins at its start. */
export function checkpointOf({ output, resume }: CommandPlan): string | undefined {
  if (!resume.isOn) return undefined
  return resume.checkpoint ?? (output.target && `${output.target.replace(/[/\\]+$/, '')}.checkpoint`)
}
