/**
 * The chunks of a pool that wait for a thread, in the order of their numbers. It is a linked list, so that the number of chunks does not
 * change the cost of a step. The links are in the chunks, because a map of them took a tenth of the time of a short task.
 */
import type { InFlightChunk } from './in-flight-chunk.js'
import type { ThreadLane } from './thread-lane.js'

export class ChunkQueue {
  readonly #ofLanes = new Map<ThreadLane, InFlightChunk[]>()
  #size = 0
  #first: InFlightChunk | undefined
  #last: InFlightChunk | undefined

  get size(): number {
    return this.#size
  }

  get first(): InFlightChunk | undefined {
    return this.#first
  }

  /** Puts a chunk into its place. Chunks that come back belong near the front: only as many as threads hold are before them. */
  add(chunk: InFlightChunk): void {
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

  shift(): InFlightChunk | undefined {
    const chunk = this.#first
    if (chunk !== undefined) this.remove(chunk)
    return chunk
  }

  /** Takes out a chunk that waits. If it took out another one, the stream of that one would hang. */
  remove(chunk: InFlightChunk): void {
    if (!chunk.isQueued) throw new Error('Cannot remove a chunk as it does not wait')
    this.#link(chunk.before, chunk.after)
    chunk.before = chunk.after = undefined
    chunk.isQueued = false
    const ofLane = this.#ofLanes.get(chunk.lane)
    ofLane?.splice(ofLane.indexOf(chunk), 1)
    this.#size--
  }

  /** The waiting chunks of a lane: at most a new one, and those that came back from threads. */
  ofLane(lane: ThreadLane): readonly InFlightChunk[] {
    return [...(this.#ofLanes.get(lane) ?? [])]
  }

  /** The lane adds no other chunks. */
  forget(lane: ThreadLane): void {
    this.#ofLanes.delete(lane)
  }

  #link(before: InFlightChunk | undefined, after: InFlightChunk | undefined): void {
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
  }
}
