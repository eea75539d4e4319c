/** What progress shows of a pipeline at one moment: read from its input and its stages. It formats nothing. */
import type { Limit } from '../stream/occupancy.js'
import type { Origin, StreamEnd } from '../stream/origin.js'
import type { Clock } from './clock.js'
import { Pace } from './pace.js'

/** Before this time a rate says little about the time that is left, in milliseconds. */
const MIN_ELAPSED_MS = 1_000

export interface Figures {
  readonly state: 'waiting' | 'running' | StreamEnd['how']
  /** Since the first `next()`, in milliseconds. */
  readonly elapsed: number
  /** The path of the file that is being read, its number from 1, and how many sources there are. */
  readonly file: string | undefined
  readonly fileNumber: number
  readonly fileCount: number
  /** Undefined if the source does not read bytes. */
  readonly bytesRead: number | undefined
  readonly bytesTotal: number | undefined
  /** How many of the bytes an earlier run has read, where this one goes on. Undefined: none. */
  readonly bytesEarlier: number | undefined
  /** Items of the source that are done, and how many there are. Undefined if there is no stage. */
  readonly items: number | undefined
  readonly itemsTotal: number | undefined
  /** Items that have failed, in all stages. */
  readonly failed: number
  readonly workers: number
  /** The share of worker time of all stages together, from 0 to 1. */
  readonly busy: number
  readonly limit: Limit | undefined
  /** Of late; at the end, of the whole run. Without what an earlier run has done. */
  readonly bytesPerSecond: number | undefined
  readonly itemsPerSecond: number | undefined
  /** In milliseconds; undefined while that is unknown. */
  readonly timeLeft: number | undefined
}

export class FigureReader {
  readonly #origin: Origin
  readonly #clock: Clock
  readonly #bytes = new Pace()
  readonly #items = new Pace()
  #how: StreamEnd['how'] | undefined
  /** Where nothing is known of the source. */
  readonly #opened: number
  #ended: number | undefined
  /** Of the whole run, if its end was told. */
  #duration: number | undefined

  constructor(origin: Origin, clock: Clock) {
    this.#origin = origin
    this.#clock = clock
    this.#opened = clock.now()
    // They are known when the first figures are shown.
    origin.input?.lookUp()
  }

  /**
   * The run has ended: from now on figures are those of the whole run. Only the first call counts.
   *
   * @param duration In milliseconds, if the run is more than its stream.
   */
  end(how: StreamEnd['how'], duration?: number): void {
    if (this.#how !== undefined) return
    this.#how = how
    this.#duration = duration
    this.#ended = this.#clock.now()
  }

  read(): Figures {
    const { input, stages } = this.#origin
    const now = this.#clock.now()
    const first = stages[0]
    const last = stages.at(-1)
    const elapsed = this.#duration ?? (last === undefined ? this.#elapsed(now) : last.occupancy.elapsed)
    const [bytesRead, bytesTotal] = [input?.read, input?.total]
    const [items, itemsTotal] = [first?.done, first?.length]
    const begun = now - (elapsed ?? 0)
    const bytesEarlier = input?.earlier ?? 0
    const ownBytes = bytesRead === undefined ? undefined : bytesRead - bytesEarlier
    if (ownBytes !== undefined) this.#bytes.note(now, ownBytes, begun)
    if (items !== undefined) this.#items.note(now, items, begun)
    const speed = (pace: Pace, amount: number | undefined): number | undefined =>
      this.#how === undefined || amount === undefined || !elapsed ? pace.perSecond : (amount * 1000) / elapsed
    const bytesPerSecond = speed(this.#bytes, ownBytes)
    const itemsPerSecond = speed(this.#items, items)
    return {
      state: this.#how ?? (elapsed === undefined ? 'waiting' : 'running'),
      elapsed: elapsed ?? 0,
      file: input?.place.path,
      fileNumber: input?.place.number ?? 0,
      fileCount: input?.place.count ?? 0,
      bytesRead,
      bytesTotal,
      bytesEarlier: bytesEarlier || undefined,
      items,
      itemsTotal,
      failed: stages.reduce((sum, stage) => sum + stage.failed, 0),
      workers: Math.max(0, ...stages.map(({ workers }) => workers)),
      // Stages share the workers of a pool.
      busy: Math.min(
        1,
        stages.reduce((sum, { occupancy }) => sum + occupancy.busy, 0),
      ),
      limit: last?.limit,
      bytesPerSecond,
      itemsPerSecond,
      timeLeft:
        this.#how !== undefined || begun > now - MIN_ELAPSED_MS
          ? undefined
          : (timeLeft(items === undefined ? bytesRead : unread(bytesRead, bytesTotal), bytesTotal, bytesPerSecond) ??
            timeLeft(items, itemsTotal, itemsPerSecond)),
    }
  }

  /** Where there is no stage, which would know it. */
  #elapsed(now: number): number | undefined {
    const { input } = this.#origin
    const began = input === undefined ? this.#opened : input.began
    return began === undefined ? undefined : Math.max(0, (this.#ended ?? now) - began)
  }
}

/** When all bytes are read, they say nothing of the items that are still in work. */
function unread(bytesRead: number | undefined, bytesTotal: number | undefined): number | undefined {
  return bytesRead === bytesTotal ? undefined : bytesRead
}

function timeLeft(
  done: number | undefined,
  total: number | undefined,
  perSecond: number | undefined,
): number | undefined {
  if (done === undefined || total === undefined || !perSecond) return undefined
  return (Math.max(0, total - done) * 1000) / perSecond
}

/** How much of the input is done, from 0 to 1; undefined while that is unknown. */
export function shareOf({ state, bytesRead, bytesTotal, items, itemsTotal }: Figures): number | undefined {
  const [done, total] = bytesTotal === undefined ? [items, itemsTotal] : [bytesRead, bytesTotal]
  if (done === undefined || total === undefined) return undefined
  // All bytes are read, and items are still in work.
  const most = state === 'running' && bytesTotal !== undefined && items !== undefined ? 0.99 : 1
  return total === 0 ? 1 : Math.min(most, done / total)
}
