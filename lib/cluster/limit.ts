/** What holds the streams of a cluster back at a moment. */
import type { StreamState } from '../executor/executor.js'

/**
 * What holds streams back at this moment:
 *
 * - `'connection'`: there is no connection to the server;
 * - `'hosts'`: hosts have all chunks that they take at once, or no host offers the task. More hosts would help;
 * - `'maxBytes'`: hosts would take more, and what is sent has as many bytes as `maxBytes` allows;
 * - `'consumer'`: hosts would take more, and the window is full. More results wait for the consumer than items for hosts;
 * - `'window'`: hosts would take more, and the window is full of items that hosts have. A larger one would help;
 * - `'source'`: hosts would take more, and the window has room. The source has not given the next item.
 *
 * When a source has ended, its last items on hosts count as `'hosts'`, and results after that as `'consumer'`.
 */
export type ClusterLimit = 'connection' | 'hosts' | 'maxBytes' | 'consumer' | 'window' | 'source'

/** A stream. */
export interface LimitedLane {
  readonly module: string
  readonly out: number
  /** Items without an outcome. */
  readonly unsettled: number
  readonly state: StreamState | undefined
}

interface Limits {
  readonly isUp: boolean
  /** Whether a unit may be made, by its bytes. */
  readonly hasRoom: boolean
  /** How many workers a module was found to have. Undefined: they were not counted yet. */
  readonly counted: (module: string) => number | undefined
}

/** Of the first stream that waits for neither its source nor its consumer, if there is one: another stream may be one of these. */
export function limitOf(lanes: Iterable<LimitedLane>, limits: Limits): ClusterLimit | undefined {
  const all = [...lanes]
  if (all.length > 0 && !limits.isUp) return 'connection'
  const found = all.map((lane) => limitOfLane(lane, all, limits))
  return found.find((limit) => limit !== 'source' && limit !== 'consumer') ?? found[0]
}

function limitOfLane(
  { module, unsettled, state }: LimitedLane,
  all: readonly LimitedLane[],
  limits: Limits,
): ClusterLimit {
  const { held = unsettled, isFull = false, hasEnded = false } = state ?? {}
  const out = all.reduce((sum, lane) => sum + (lane.module === module ? lane.out : 0), 0)
  if (out > 0 && out >= (limits.counted(module) ?? Infinity)) return 'hosts'
  if (!limits.hasRoom) return 'maxBytes'
  if (hasEnded) return unsettled > 0 ? 'hosts' : 'consumer'
  if (!isFull) return 'source'
  return held - unsettled > unsettled ? 'consumer' : 'window'
}
