/**
 * A line of waiting calls in shared memory, first come, first served: where they stand, not what they wait for.
 *
 * A call has a place: two cells, its THREAD (plus one; 0 is a free place) and its WORD, the call's ticket and state in one.
 * What holds at any moment, so that a thread may end between any two steps:
 * - A free place is claimed by one compareExchange of THREAD, and given back WORD first: a place with a WORD has its THREAD,
 *   and what a thread that ended has left can be told by THREAD alone.
 * - No two calls ever have the same ticket (it takes 2^30 more to come again), so a compareExchange of WORD names one call in
 *   one state, and can never hit a later one in the same place.
 * - Who takes a call out of WAITING is decided by one compareExchange: granted, or given up by itself or its bury().
 * - A call stays in its place for as long as it is in line, and COUNT, the number of places ever used, is raised before a place
 *   is claimed: a search from 0 to COUNT finds every call that is in line throughout the search.
 *
 * A search takes time in proportion to the most calls that ever waited at once.
 */
import { threadId } from 'node:worker_threads'
import { SyncError } from '../errors.js'
import { growTo } from '../shared/growable.js'
import { createMemory, type Memory } from '../shared/shared.js'
import { Deadline, wait, waitSync } from './waiting.js'

/** How many calls may be in a line at once. */
const MOST = 1 << 16
const PLACE = 2
const THREAD = 0
const WORD = 1
const TICKETS = 0
const COUNT = 1
const FIRST = 2
/** Places in the memory before it grows. */
const FEW = 8
const TICKET_BITS = 30

/** The states of a call. Not in line, or not any more. */
export const GONE = 0
export const WAITING = 1
/** It has what it waits for. */
export const GRANTED = 2
/** It has it, and knows so. */
export const TAKEN = 3

/** A call in line. */
export interface Place {
  /** The first of its cells. */
  readonly at: number
  /** From 1 to 2^30 - 1; later calls have later ones. */
  readonly ticket: number
}

/** Memory for an object that has so many cells of its own, and after them a line. */
export function createMemoryWithLine(kind: number, cells: number): Memory {
  return createMemory(kind, cells + FIRST + FEW * PLACE, cells + FIRST + MOST * PLACE)
}

export class Line {
  readonly #memory: Memory
  readonly #base: number
  /** Where to look for a free place. */
  #hint = 0

  /** `base` is the first cell of the line; all cells after it are the line's. */
  constructor(memory: Memory, base: number) {
    this.#memory = memory
    this.#base = base
  }

  /** Takes a place at the end. */
  join(ticket: number = this.#nextTicket()): Place {
    const at = this.#claim()
    Atomics.store(this.#memory, at + WORD, (ticket << 2) | WAITING)
    return { at, ticket }
  }

  /** Gives back the place of a call of this thread. */
  leave({ at }: Place): void {
    Atomics.store(this.#memory, at + WORD, 0)
    Atomics.store(this.#memory, at + THREAD, 0)
    this.#hint = (at - this.#base - FIRST) / PLACE
  }

  stateOf({ at, ticket }: Place): number {
    const word = Atomics.load(this.#memory, at + WORD)
    return word >>> 2 === ticket ? word & 3 : GONE
  }

  /** One step of a call: whether it was in the state `from`, and is in the state `to` now. */
  move({ at, ticket }: Place, from: number, to: number): boolean {
    const word = (ticket << 2) | from
    return Atomics.compareExchange(this.#memory, at + WORD, word, to === GONE ? 0 : (ticket << 2) | to) === word
  }

  /** Tells a waiting call that it has what it waits for. False if it does not wait any more. */
  grant(place: Place): boolean {
    if (!this.move(place, WAITING, GRANTED)) return false
    Atomics.notify(this.#memory, place.at + WORD)
    return true
  }

  /** The call that has waited longest. */
  first(): Place | undefined {
    let found: Place | undefined
    for (let at = this.#base + FIRST, end = this.#end; at < end; at += PLACE) {
      const word = Atomics.load(this.#memory, at + WORD)
      if ((word & 3) !== WAITING) continue
      const ticket = word >>> 2
      // Tickets start again when all were given.
      if (found === undefined || (ticket - found.ticket) << (32 - TICKET_BITS) < 0) found = { at, ticket }
    }
    return found
  }

  /** The call of a ticket, if it is in line. */
  find(ticket: number): Place | undefined {
    for (let at = this.#base + FIRST, end = this.#end; at < end; at += PLACE) {
      if (Atomics.load(this.#memory, at + WORD) >>> 2 === ticket) return { at, ticket }
    }
    return undefined
  }

  /** The thread of a call. */
  threadOf({ at }: Place): number {
    return Atomics.load(this.#memory, at + THREAD) - 1
  }

  /** All calls in line. */
  *all(): Generator<Place, void, void> {
    for (let at = this.#base + FIRST, end = this.#end; at < end; at += PLACE) {
      yield { at, ticket: Atomics.load(this.#memory, at + WORD) >>> 2 }
    }
  }

  /** Those of some threads. */
  *of(threads: ReadonlySet<number>): Generator<Place, void, void> {
    for (const place of this.all()) if (threads.has(this.threadOf(place))) yield place
  }

  /** Whether calls of this thread are in line, beside the one with the ticket `except`. */
  hasOwn(except = 0): boolean {
    for (const { ticket } of this.of(new Set([threadId]))) if (ticket !== except) return true
    return false
  }

  /** Gives back the place of a call whose thread has ended. Others may be doing the same. */
  remove(place: Place, threads: ReadonlySet<number>): void {
    for (let state = this.stateOf(place); state !== GONE; state = this.stateOf(place)) this.move(place, state, GONE)
    const thread = this.threadOf(place)
    if (threads.has(thread)) Atomics.compareExchange(this.#memory, place.at + THREAD, thread + 1, 0)
  }

  /** Settles when the call was granted (true), or the time was over: then it has left the line. */
  async wait(place: Place, timeout: number): Promise<boolean> {
    const deadline = new Deadline(timeout)
    // A late notification may be meant for a call that was in this place before.
    while (this.stateOf(place) === WAITING) {
      const woken = await wait(this.#memory, place.at + WORD, (place.ticket << 2) | WAITING, deadline.left)
      if (!woken && this.#giveUp(place)) return false
    }
    return true
  }

  /** The same, holding the thread. */
  waitSync(place: Place, timeout: number): boolean {
    const deadline = new Deadline(timeout)
    while (this.stateOf(place) === WAITING) {
      const woken = waitSync(this.#memory, place.at + WORD, (place.ticket << 2) | WAITING, deadline.left)
      if (!woken && this.#giveUp(place)) return false
    }
    return true
  }

  /** False if the call was granted. */
  #giveUp(place: Place): boolean {
    if (!this.move(place, WAITING, GONE)) return false
    this.leave(place)
    return true
  }

  get #end(): number {
    return this.#base + FIRST + PLACE * Atomics.load(this.#memory, this.#base + COUNT)
  }

  #nextTicket(): number {
    for (;;) {
      const ticket = Atomics.add(this.#memory, this.#base + TICKETS, 1) & ((1 << TICKET_BITS) - 1)
      if (ticket !== 0) return ticket
    }
  }

  #claim(): number {
    for (;;) {
      const count = Atomics.load(this.#memory, this.#base + COUNT)
      for (let tried = 0; tried < count; tried++) {
        const number = (this.#hint + tried) % count
        const at = this.#base + FIRST + number * PLACE
        if (Atomics.load(this.#memory, at + THREAD) !== 0) continue
        if (Atomics.compareExchange(this.#memory, at + THREAD, 0, threadId + 1) !== 0) continue
        this.#hint = number + 1
        return at
      }
      this.#makeRoom(count)
      if (Atomics.compareExchange(this.#memory, this.#base + COUNT, count, count + 1) === count) this.#hint = count
    }
  }

  /** Makes the memory large enough for one place more. */
  #makeRoom(count: number): void {
    if (count === MOST) throw new SyncError(`Cannot wait in line as ${MOST} calls are in it already`, 'ERR_LINE_FULL')
    const first = this.#base + FIRST
    growTo(this.#memory, first + (count + 1) * PLACE, first + MOST * PLACE)
  }
}
