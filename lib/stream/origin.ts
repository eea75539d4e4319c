/**
 * Where the results of a stream come from: the input whose bytes are read, and the stages up to this one. Progress and
 * figures start from it. It refers to no stream that a consumer holds, so it keeps no stream from being collected.
 */
import type { Part } from '../executor/executor.js'
import { meterOf, type InputMeter } from '../io/input-meter.js'
import type { HeldFailures } from './failure-target.js'
import type { StreamStats } from './plan.js'
import type { Limit, Occupancy } from './occupancy.js'

/** How a stream has ended: its source has ended and all results were given, with an error, or it was left before that. */
export interface StreamEnd {
  readonly how: 'done' | 'failed' | 'left'
  readonly error?: unknown
}

/** A stage, as its figures see it. */
export interface StageMeter {
  /** The name of its task. */
  readonly task: string
  /** How many workers it may use. */
  readonly workers: number
  readonly occupancy: Occupancy
  /** What holds the stage back. If that is its source, and this is a stage, what holds that one back. */
  readonly limit: Limit | undefined
  stats(): StreamStats
  /** Items whose results have been given, or left out. */
  readonly done: number
  /** Items that have failed. */
  readonly failed: number
  /** Its failed items, and those of the stages before. Undefined if they go to no file. */
  readonly failedItems: HeldFailures | undefined
  /** How many items its source has, where that is known. */
  readonly length: number | undefined
  /** Calls the listener when the stage ends; at once, if it has. The listener must not throw. */
  onEnd(listener: (end: StreamEnd) => void): void
  /** Shows all parts from now on, as they arrive. Their items can still be read. The observer must not throw. */
  observe(observer: (part: Part) => void): void
}

export interface Origin {
  /** Undefined if the first source does not read bytes. */
  readonly input: InputMeter | undefined
  /** The first one first. */
  readonly stages: readonly StageMeter[]
}

const origins = new WeakMap<object, Origin>()

/** Says where the results of `stream` come from. */
export function noteOrigin(stream: object, origin: Origin | undefined): void {
  if (origin !== undefined) origins.set(stream, origin)
}

/** Undefined if nothing is known of a source. */
export function originOf(source: object): Origin | undefined {
  const origin = origins.get(source)
  if (origin !== undefined) return origin
  const input = meterOf(source)
  return input && { input, stages: [] }
}

/** The failed items of all stages before a sink. Undefined if they go to no file. */
export function failedItemsOf(source: object): HeldFailures | undefined {
  return originOf(source)?.stages.at(-1)?.failedItems
}

/** What was read, and failed, up to now. Of a run that goes on: by the earlier runs, too. */
export interface SourceCounts {
  /** Undefined: no stage reads the source. */
  readonly read: number | undefined
  readonly skipped: number
  readonly rejected: number
  readonly bytesRead: number
}

export function countsOf({ input, stages }: Origin): SourceCounts {
  const stats = stages.map((stage) => stage.stats())
  return {
    read: stats[0]?.read,
    skipped: stats.reduce((sum, { skipped }) => sum + skipped, 0),
    rejected: stats.reduce((sum, { rejected }) => sum + rejected, 0),
    bytesRead: input?.read ?? 0,
  }
}

/** The paths of the inputs, as far as they are known. */
export function inputsOf(origin: Origin | undefined): string[] {
  return (origin?.input?.sources ?? []).flatMap(({ path }) => path ?? [])
}

/** Calls the listener when the last stage ends, or the input if there is no stage; at once, if it has. */
export function onEndOf({ input, stages }: Origin, listener: (end: StreamEnd) => void): void {
  const last = stages.at(-1)
  if (last !== undefined) last.onEnd(listener)
  else {
    input?.onEnd((how) => {
      listener({ how })
    })
  }
}
