/**
 * A chunk of a stream while its outcomes come in. It takes each outcome once, by its place, whichever unit and host it
 * comes from. In an ordered stream, outcomes wait for those before them.
 */
import type { Chunk, Part } from '../executor/executor.js'
import type { WorkerJob } from '../worker/protocol.js'
import { cut, placesOf, type Outcomes } from './sendable.js'

export class OpenChunk {
  readonly chunk: Chunk
  /** The errors of items that are not to be run, by their place: they cannot be sent, or have failed before. */
  readonly failed: Map<number, unknown>
  readonly #isFold: boolean
  readonly #isOrdered: boolean
  /** By place: whether it has its outcome. */
  readonly #settled: Uint8Array
  /** How many have not been given to the stream. */
  #left: number
  /** Of an ordered stream: the next place, and the outcomes that wait for their turn, by their first place. */
  #next = 0
  readonly #waiting = new Map<number, Outcomes>()
  #sentBytes = 0
  #resultBytes = 0
  /** How long its units have run that are done, in milliseconds. */
  #time = 0

  constructor(chunk: Chunk, { kind, ordered }: Pick<WorkerJob, 'kind' | 'ordered'>) {
    const { length } = chunk.items
    this.chunk = chunk
    this.failed = new Map(chunk.failed)
    this.#isFold = kind === 'reduce'
    this.#isOrdered = ordered
    this.#settled = new Uint8Array(length)
    this.#left = length
  }

  /** How many items have no outcome that was given to the stream. */
  get left(): number {
    return this.#left
  }

  /** A unit of it was sent. */
  sent(bytes: number): void {
    this.#sentBytes += bytes
  }

  /** The places without an outcome, from `start` up to `end`. */
  open(start: number, end: number): number[] {
    const places: number[] = []
    for (let place = start; place < end; place++) if (this.#settled[place] === 0) places.push(place)
    return places
  }

  /**
   * Takes the outcomes for places that had none.
   *
   * @param isLast Whether its unit is done.
   * @returns How many it took, and the parts that the stream is due.
   */
  take(outcomes: Outcomes, isLast: boolean): { readonly taken: number; readonly parts: readonly Part[] } {
    const pieces = this.#without(outcomes)
    const parts: Part[] = []
    let taken = 0
    const { time = 0, bytes = 0 } = outcomes
    this.#resultBytes += bytes
    for (const piece of pieces) {
      taken += piece.count
      for (const place of placesOf(piece)) this.#settled[place] = 1
      if (this.#isOrdered) this.#waiting.set(placesOf(piece)[0] ?? 0, piece)
      else parts.push(this.#part(piece, time))
    }
    for (let due = this.#waiting.get(this.#next); due !== undefined; due = this.#waiting.get(this.#next)) {
      this.#waiting.delete(this.#next)
      this.#next += due.count
      parts.push(this.#part(due, time))
    }
    if (isLast) this.#time += time
    return { taken, parts }
  }

  /** The outcomes without those of places that have one: as they are, or in pieces whose places follow each other. */
  #without(outcomes: Outcomes): Outcomes[] {
    const places = placesOf(outcomes)
    const isNew = (offset: number): boolean => this.#settled[places[offset] ?? 0] === 0
    const areNew = places.every((_, offset) => isNew(offset))
    // The items of a fold have one outcome together.
    if (places.length === 0 || (this.#isFold && !areNew)) return []
    if (areNew && (this.#isFold || !this.#isOrdered || outcomes.chunkOffsets === undefined)) return [outcomes]
    const pieces: Outcomes[] = []
    for (let start = 0, end; start < places.length; start = end) {
      end = start + 1
      if (!isNew(start)) continue
      while (end < places.length && isNew(end) && places[end] === (places[end - 1] ?? 0) + 1) end++
      pieces.push(cut(outcomes, start, end))
    }
    return pieces
  }

  #part(outcomes: Outcomes, time: number): Part {
    this.#left -= outcomes.count
    const places = placesOf(outcomes)
    const errors = [...(outcomes.errors ?? [])].map(([offset, error]): [number, unknown] => {
      const place = places[offset] ?? 0
      // A host gives back a copy of the error that it was sent.
      return [offset, this.failed.has(place) ? this.failed.get(place) : error]
    })
    return {
      ...outcomes,
      chunk: this.chunk,
      errors: errors.length === 0 ? undefined : new Map(errors),
      last: this.#left === 0,
      time: this.#time + time,
      bytes: Math.max(this.#sentBytes, this.#resultBytes),
      resultBytes: this.#resultBytes,
    }
  }
}
