/** The report of a run as data: what the `.json` form contains, and the others draw. Types only. */
import type { Limit, Shares } from '../../stream/occupancy.js'

export interface RunReport {
  /** Of this format. It changes when a field changes its meaning. */
  readonly version: 1
  readonly run: {
    /** The command line: the program, the script and its arguments. */
    readonly command: readonly string[]
    readonly folder: string
    /** ISO 8601. */
    readonly started: string
    /** In milliseconds. */
    readonly duration: number
    readonly end: 'done' | 'failed' | 'left'
    readonly error?: ErrorText
  }
  readonly machine: {
    readonly millrace: string
    readonly node: string
    readonly platform: string
    readonly cpu: string
    readonly cores: number
    /** In bytes. */
    readonly memory: number
  }
  /** The sources that were read, in turn; the first ones of many. `bytes` is what was read, also by an earlier run; `size` all of it. */
  readonly inputs: readonly { readonly path: string | undefined; readonly bytes: number; readonly size?: number }[]
  readonly inputCount: number
  /** The files that the run has made; the first ones of many. */
  readonly outputs: readonly OutputFile[]
  readonly outputCount: number
  readonly totals: {
    /** Undefined if the source does not read bytes. */
    readonly bytes: number | undefined
    /** What an earlier run had read before, where this one has gone on. It counts nowhere else here. */
    readonly bytesEarlier?: number
    readonly items: number
    readonly results: number
    readonly failed: number
    readonly chunks: number
    /** The share of worker time, from 0 to 1. */
    readonly busy: number
    readonly limit: Limit | undefined
    /** The largest resident memory that was seen, in bytes. */
    readonly peakMemory: number
  }
  readonly stages: readonly StageReport[]
  /** Figures over time, as columns. */
  readonly samples: Samples
  /** How many items took how long, on average of the chunk or part in which they came. */
  readonly latency: {
    readonly buckets: readonly Bucket[]
    readonly median: number
    readonly p90: number
    readonly p99: number
  }
  /** The items with the longest compute time, or the chunks of items that took longest each. */
  readonly slowest: readonly SlowItem[]
  /** The errors of failed items by reason, the most frequent first; the first ones of many. */
  readonly errors: readonly ErrorReason[]
}

export interface ErrorText {
  readonly name: string
  readonly code?: string
  readonly message: string
}

export interface OutputFile {
  readonly path: string
  readonly records: number
  readonly bytes: number
}

export interface StageReport {
  readonly task: string
  readonly workers: number
  readonly read: number
  readonly delivered: number
  readonly failed: number
  readonly busy: number
  readonly shares: Shares
}

/** Where an item comes from, as far as that is known. */
export interface Place {
  readonly index: number
  readonly file?: string
  readonly record?: number
  readonly line?: number
}

export interface SlowItem extends Place {
  readonly task: string
  /** How many items from this one on took this time, on average. */
  readonly count: number
  /** Of each, in milliseconds. */
  readonly time: number
  readonly worker: number
}

export interface ErrorReason extends ErrorText {
  readonly task: string
  readonly count: number
  readonly first: Place
}

export interface Bucket {
  /** Milliseconds: the upper bound. */
  readonly below: number
  readonly items: number
}

/** One entry for each moment. Figures per second and averages are of the time since the moment before. */
export interface Samples {
  /** Seconds since the start. */
  readonly time: readonly number[]
  readonly itemsPerSecond: readonly number[]
  /** Null if the source does not read bytes. */
  readonly bytesPerSecond: readonly (number | null)[]
  /** The share of worker time, from 0 to 1. */
  readonly busy: readonly number[]
  /** Milliseconds of an item: the average, and the slowest. Null where no results came. */
  readonly itemTime: readonly (number | null)[]
  readonly slowestItemTime: readonly (number | null)[]
  readonly itemsPerChunk: readonly (number | null)[]
  /** Items that have failed so far. */
  readonly failed: readonly number[]
  /** Bytes: of the process, and of the heap of this thread. */
  readonly memory: readonly number[]
  readonly heap: readonly number[]
}
