/**
 * The chunks of a pool that wait for a thread, in the order of their numbers: a linked list, so that each step costs the same
 * however many wait. The links are in the chunks themselves: a map of them took a tenth of the time of a short task.
 */
import type { ThreadLane } from './lane.js'

/** What the queue notes in a chunk; nobody else changes it. */
export class QueueLinks<Turn> {
  isQueued = false
  before: Turn | undefined
  after: Turn | undefined
}

interface Queued<Turn> extends QueueLinks<Turn> {
  readonly lane: ThreadLane
  readonly number: number
}

export class TurnQueue<Turn extends Queued<Turn>> {
  readonly #ofLanes = new Map<ThreadLane, Turn[]>()
  #size = 0
  #first: Turn | undefined
  #last: Turn | undefined

  get size(): number {
    return this.#size
  }

  get first(): Turn | undefined {
    return this.#first
  }

  /** Puts a chunk into its place. Those that come back belong to the front: fewer are before them than threads hold. */
  add(turn: Turn): void {
    let after = this.#first
    if (this.#last === undefined || this.#last.number < turn.number) after = undefined
    else while (after !== undefined && after.number < turn.number) after = after.after
    const before = after === undefined ? this.#last : after.before
    this.#link(before, turn)
    this.#link(turn, after)
    turn.isQueued = true
    const ofLane = this.#ofLanes.get(turn.lane)
    if (ofLane === undefined) this.#ofLanes.set(turn.lane, [turn])
    else ofLane.push(turn)
    this.#size++
  }

  shift(): Turn | undefined {
    const turn = this.#first
    if (turn !== undefined) this.remove(turn)
    return turn
  }

  /** Takes out a chunk that waits. To take out another in its stead would lose that one: its stream would hang. */
  remove(turn: Turn): void {
    if (!turn.isQueued) throw new Error('Cannot remove a chunk as it does not wait')
    this.#link(turn.before, turn.after)
    turn.before = turn.after = undefined
    turn.isQueued = false
    const ofLane = this.#ofLanes.get(turn.lane)
    ofLane?.splice(ofLane.indexOf(turn), 1)
    this.#size--
  }

  /** The chunks of a lane that wait: at most a new one, and those that came back from threads. */
  ofLane(lane: ThreadLane): readonly Turn[] {
    return [...(this.#ofLanes.get(lane) ?? [])]
  }

  /** The lane adds no more. */
  forget(lane: ThreadLane): void {
    this.#ofLanes.delete(lane)
  }

  #link(before: Turn | undefined, after: Turn | undefined): void {
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
  }
}
