/**
 * The chunks of a pool that wait for a thread, in the order of their numbers. It is a linked list, so that the number of chunks does not
 * change the cost of a step. The links are in the chunks, because a map of them took a tenth of the time of a short task.
 */
import type { ThreadLane } from './thread-lane.js'

/** The links in a chunk. Only the queue changes them. */
export class QueueLinks<T> {
  isQueued = false
  before: T | undefined
  after: T | undefined
}

interface Queued<T> extends QueueLinks<T> {
  readonly lane: ThreadLane
  readonly number: number
}

export class ChunkQueue<T extends Queued<T>> {
  readonly #ofLanes = new Map<ThreadLane, T[]>()
  #size = 0
  #first: T | undefined
  #last: T | undefined

  get size(): number {
    return this.#size
  }

  get first(): T | undefined {
    return this.#first
  }

  /** Puts a chunk into its place. Chunks that come back belong near the front: only as many as threads hold are before them. */
  add(chunk: T): void {
    let after = this.#first
    if (this.#last === undefined || this.#last.number < chunk.number) after = undefined
    else while (after !== undefined && after.number < chunk.number) after = after.after
    const before = after === undefined ? this.#last : after.before
    this.#link(before, chunk)
    this.#link(chunk, after)
    chunk.isQueued = true
    const ofLane = this.#ofLanes.get(chunk.lane)
    if (ofLane === undefined) this.#ofLanes.set(chunk.lane, [chunk])
    else ofLane.push(chunk)
    this.#size++
  }

  shift(): T | undefined {
    const chunk = this.#first
    if (chunk !== undefined) this.remove(chunk)
    return chunk
  }

  /** Takes out a chunk that waits. If it took out another one, the stream of that one would hang. */
  remove(chunk: T): void {
    if (!chunk.isQueued) throw new Error('Cannot remove a chunk as it does not wait')
    this.#link(chunk.before, chunk.after)
    chunk.before = chunk.after = undefined
    chunk.isQueued = false
    const ofLane = this.#ofLanes.get(chunk.lane)
    ofLane?.splice(ofLane.indexOf(chunk), 1)
    this.#size--
  }

  /** The waiting chunks of a lane: at most a new one, and those that came back from threads. */
  ofLane(lane: ThreadLane): readonly T[] {
    return [...(this.#ofLanes.get(lane) ?? [])]
  }

  /** The lane adds no other chunks. */
  forget(lane: ThreadLane): void {
    this.#ofLanes.delete(lane)
  }

  #link(before: T | undefined, after: T | undefined): void {
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
  }
}
