/**
 * The chunks of a pool that wait for a thread, in the order of their numbers: a linked list, so that each step costs the same
 * however many wait.
 */
import type { ThreadLane } from './lane.js'
import type { Turn } from './turn.js'

interface Entry {
  readonly turn: Turn
  before: Entry | undefined
  after: Entry | undefined
}

export class TurnQueue {
  readonly #entries = new Map<Turn, Entry>()
  readonly #ofLanes = new Map<ThreadLane, Set<Turn>>()
  #first: Entry | undefined
  #last: Entry | undefined

  get size(): number {
    return this.#entries.size
  }

  get first(): Turn | undefined {
    return this.#first?.turn
  }

  /** Puts a chunk into its place. Those that come back belong to the front: fewer are before them than threads hold. */
  add(turn: Turn): void {
    let after = this.#first
    if (this.#last === undefined || this.#last.turn.number < turn.number) after = undefined
    else while (after !== undefined && after.turn.number < turn.number) after = after.after
    const before = after === undefined ? this.#last : after.before
    const entry: Entry = { turn, before, after }
    this.#entries.set(turn, entry)
    this.#link(before, entry)
    this.#link(entry, after)
    const ofLane = this.#ofLanes.get(turn.lane)
    if (ofLane === undefined) this.#ofLanes.set(turn.lane, new Set([turn]))
    else ofLane.add(turn)
  }

  shift(): Turn | undefined {
    const turn = this.first
    if (turn !== undefined) this.remove(turn)
    return turn
  }

  /** Takes out a chunk that waits. To take out another in its stead would lose that one: its stream would hang. */
  remove(turn: Turn): void {
    const entry = this.#entries.get(turn)
    if (entry === undefined) throw new Error('Cannot remove a chunk as it does not wait')
    this.#entries.delete(turn)
    this.#link(entry.before, entry.after)
    this.#ofLanes.get(turn.lane)?.delete(turn)
  }

  /** The chunks of a lane that wait: at most a new one, and those that came back from threads. */
  ofLane(lane: ThreadLane): Iterable<Turn> {
    return this.#ofLanes.get(lane) ?? []
  }

  /** The lane adds no more. */
  forget(lane: ThreadLane): void {
    this.#ofLanes.delete(lane)
  }

  #link(before: Entry | undefined, after: Entry | undefined): void {
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
  }
}
