/**
 * Counts the items of all `imap` streams. Each item that was read was delivered, left out or dropped, or is on its way.
 */
import type { Stream, StreamStats } from 'millrace'

export interface Totals {
  read: number
  /** Results and outcomes that were given to consumers. */
  delivered: number
  /** Failed items of streams that leave failed items out. */
  leftOut: number
  /** Items that were not needed any more, because the consumer had left. */
  dropped: number
  /** Items of open streams that are not yet delivered, left out or dropped. */
  inFlight: number
}

type Watched = Stream<unknown>

export class Account {
  readonly #open = new Set<Watched>()
  readonly #ended: Totals = { read: 0, delivered: 0, leftOut: 0, dropped: 0, inFlight: 0 }

  open<S extends Watched>(stream: S): S {
    this.#open.add(stream)
    return stream
  }

  /** Notes that a stream has ended. Throws if items of it are still on their way, unless its consumer has left. */
  close(stream: Watched, wasLeft = false): void {
    const stats = stream.stats()
    const inFlight = inFlightOf(stats)
    if (inFlight > 0 && !wasLeft) throw new Error(`${inFlight} items have not come out`, { cause: stats })
    this.#open.delete(stream)
    add(this.#ended, stats)
    this.#ended.dropped += inFlight
  }

  /** Throws if the figures of a stream are impossible. */
  totals(): Totals {
    const totals = { ...this.#ended }
    for (const stream of this.#open) {
      const stats = stream.stats()
      add(totals, stats)
      totals.inFlight += inFlightOf(stats)
    }
    return totals
  }
}

function add(totals: Totals, { read, delivered, skipped }: StreamStats): void {
  totals.read += read
  totals.delivered += delivered
  totals.leftOut += skipped
}

function inFlightOf(stats: StreamStats): number {
  const { read, delivered, skipped, window } = stats
  const inFlight = read - delivered - skipped
  if (inFlight < 0 || inFlight > window) throw new Error(`${inFlight} items are in flight`, { cause: stats })
  return inFlight
}
