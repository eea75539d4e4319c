/** Where the items of all `imap` streams are: each that was read was delivered, was left out, was dropped, or is on its way. */
import type { Stream, StreamStats } from 'millrace'

export interface Totals {
  read: number
  /** Results and outcomes that were given to consumers. */
  delivered: number
  /** Failed items of streams that leave them out. */
  leftOut: number
  /** Items that nobody asked for any more, as the consumer had left. */
  dropped: number
  /** Items of open streams that are none of these yet. */
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

  /** A stream has ended. Throws when something of it is still on its way, unless its consumer has left it. */
  close(stream: Watched, wasLeft = false): void {
    const stats = stream.stats()
    const inFlight = inFlightOf(stats)
    if (inFlight > 0 && !wasLeft) throw new Error(`${inFlight} items have not come out`, { cause: stats })
    this.#open.delete(stream)
    add(this.#ended, stats)
    this.#ended.dropped += inFlight
  }

  /** Throws where the figures of a stream cannot be. */
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
