/**
 * A queue of waiting calls in shared memory, first come, first served. It does not know what they wait for.
 *
 * A call has a place with its THREAD and its WORD. The word is the call's ticket and its state. The first places are in
 * the memory of the queue's owner. When they are taken, calls use the overflow, which many queues share
 * (`overflow.ts`). A thread can end between any two steps, because these rules hold at any moment:
 * - One compareExchange of THREAD claims a free place. WORD is cleared before THREAD. So a place with a WORD has its
 *   THREAD, and THREAD alone finds everything that a thread has left when it ended.
 * - Two calls never have the same ticket (it returns after 2^30 others). So a compareExchange of WORD names one call in
 *   one state, and can never change a later call in the same place.
 * - One compareExchange decides how a call leaves WAITING: it is granted, or it is given up, by itself or by
 *   `releaseThreads()`.
 * - A call keeps its place while it is in the queue. COUNT, the number of places ever used, is raised before a place is
 *   claimed. So a search from 0 to COUNT finds every call that is in the queue throughout the search.
 *
 * A search takes time in proportion to the most calls that ever stood in the queue at once. Above OWN_PLACES, calls of
 * other queues count, too. To join, leave or grant does not search. In most queues only one call of each thread stands
 * (`acquire-queue.ts`).
 */
import { threadId } from 'node:worker_threads'
import { createMemory, numberOf, type Memory } from '../../shared/memory.js'
import type { Shared } from '../shared-object.js'
import type { Overflow } from './overflow.js'
import { Places } from './places.js'
import { CellWait } from './cell-wait.js'
import type { Limits } from './limits.js'
import type { Steps } from './steps.js'

const TICKETS = 0
const COUNT = 1
const FIRST = 2
/** The places in the memory of the owner. Each is a thread and a word. */
const OWN_PLACES = 16
const PLACE = 2
const TICKET_BITS = 30
const TICKET_MASK = (1 << TICKET_BITS) - 1
const HALF_OF_TICKETS = 1 << (TICKET_BITS - 1)
/** The most places that a call tries to find a free one. */
const MAX_TRIES = 32

/** The states of a call. This one: it is not in the queue, or not any more. */
export const GONE = 0
export const WAITING = 1
/** It has what it waits for. */
export const GRANTED = 2
/** It has it, and knows that. */
export const TAKEN = 3

/** A call in the queue. */
export interface Place {
  /** The number of its place. */
  readonly at: number
  /** From 1 to 2^30 - 1. Later calls have later tickets. */
  readonly ticket: number
}

/** Memory for an object of this many cells, followed by a queue. */
export function createMemoryWithQueue(kind: number, cells: number): Memory {
  return createMemory(kind, cells + FIRST + OWN_PLACES * PLACE)
}

export class WaitQueue {
  readonly #memory: Memory
  readonly #base: number
  readonly #overflow: Overflow
  readonly #own: Places
  /** The places in the overflow, once there are any. */
  #more: Places | undefined
  /** Where to begin the search for a free place. */
  #hint = 0
  /** The calls that waited at the last search. The one that has waited longest is at the end. */
  readonly #known: Place[] = []
  #old: ReadonlySet<number> | undefined
  #lookedUpAt = 0

  /** `base`: the first cell of the queue. The last of `parts` is its overflow. */
  constructor(memory: Memory, base: number, parts: readonly Shared[] = []) {
    this.#memory = memory
    this.#base = base
    this.#own = new Places(memory, { first: base + FIRST, size: PLACE, word: 1 })
    this.#overflow = parts.at(-1) as Overflow
  }

  /** Takes a place at the end. */
  join(ticket: number = this.#nextTicket()): Place {
    const at = this.#claim()
    this.#places(at).write(at, (ticket << 2) | WAITING)
    return { at, ticket }
  }

  /** Gives back the place of a call of this thread. */
  leave({ at }: Place): void {
    this.#places(at).write(at, 0)
    this.#places(at).free(at, threadId)
    this.#hint = at
  }

  stateOf({ at, ticket }: Place): number {
    const word = this.#places(at).wordOf(at)
    return word >>> 2 === ticket ? word & 3 : GONE
  }

  /** Moves a call from the state `from` to the state `to`. False if it was in another state. */
  move({ at, ticket }: Place, from: number, to: number): boolean {
    return this.#places(at).replace(at, (ticket << 2) | from, to === GONE ? 0 : (ticket << 2) | to)
  }

  /** Tells a waiting call that it has what it waits for. False if it no longer waits. */
  grant(place: Place): boolean {
    if (!this.move(place, WAITING, GRANTED)) return false
    this.#notify(place)
    return true
  }

  /** Wakes the calls that were granted: a thread may have ended before it woke them. */
  wakeGranted(): void {
    for (const place of this.all()) if (this.stateOf(place) === GRANTED) this.#notify(place)
  }

  /** The call that has waited longest. */
  first(): Place | undefined {
    for (;;) {
      const found = this.#first()
      if (found === undefined || this.stateOf(found) === WAITING) return found
    }
  }

  /**
   * As `first()`, for a caller that asks again and again: the cost does not depend on how many wait. It goes through
   * the calls of the last search. Calls that have come since then have later tickets.
   */
  next(): Place | undefined {
    for (let place = this.#known.at(-1); place !== undefined; place = this.#known.at(-1)) {
      if (this.stateOf(place) === WAITING) return place
      this.#known.pop()
    }
    for (const place of this.all()) if (this.stateOf(place) === WAITING) this.#known.push(place)
    this.#known.sort((one, other) => (isEarlier(one.ticket, other.ticket) ? 1 : -1))
    return this.#known.at(-1)
  }

  /** The call of a ticket, if it is in the queue. */
  find(ticket: number): Place | undefined {
    for (let at = 0, end = this.#count; at < end; at++) {
      const places = this.#places(at)
      if (places.loadRelaxed(at) >>> 2 === ticket && places.wordOf(at) >>> 2 === ticket) return { at, ticket }
    }
    return undefined
  }

  /** The thread of a call. */
  threadOf({ at }: Place): number {
    return this.#places(at).threadOf(at)
  }

  /** All calls in the queue. */
  *all(): Generator<Place, void, void> {
    for (let at = 0, end = this.#count; at < end; at++) {
      yield { at, ticket: this.#places(at).wordOf(at) >>> 2 }
    }
  }

  /** The calls of some threads. */
  *of(threads: ReadonlySet<number>): Generator<Place, void, void> {
    for (const place of this.all()) if (threads.has(this.threadOf(place))) yield place
  }

  /** Whether calls of this thread are in the queue. The call with the ticket `except` does not count. */
  hasOwn(except = 0): boolean {
    for (const { ticket } of this.of(new Set([threadId]))) if (ticket !== except) return true
    return false
  }

  /** Gives back the place of a call whose thread has ended. Other threads may do the same at once. */
  remove(place: Place, threads: ReadonlySet<number>): void {
    for (let state = this.stateOf(place); state !== GONE; state = this.stateOf(place)) this.move(place, state, GONE)
    const thread = this.threadOf(place)
    if (threads.has(thread)) this.#places(place.at).free(place.at, thread)
  }

  /**
   * Waits until the call is granted. False if its time is over; throws when its signal fires. In both cases it has left
   * the queue.
   */
  *wait(place: Place, limits: Limits): Steps<boolean> {
    const places = this.#places(place.at)
    const word = (place.ticket << 2) | WAITING
    try {
      // A late notification may be for a call that was in this place before.
      while (this.stateOf(place) === WAITING) {
        const isInTime = yield new CellWait(places.memory, places.cellOf(place.at), word, limits)
        if (!isInTime && this.#giveUp(place)) return false
      }
    } catch (reason) {
      if (this.#giveUp(place)) throw reason
    }
    return true
  }

  /** False if the call was granted. */
  #giveUp(place: Place): boolean {
    if (!this.move(place, WAITING, GONE)) return false
    // Node may still wait for the cell, which later calls will use.
    this.#notify(place)
    this.leave(place)
    return true
  }

  #notify({ at }: Place): void {
    const places = this.#places(at)
    Atomics.notify(places.memory, places.cellOf(at))
  }

  #first(): Place | undefined {
    let found: Place | undefined
    for (let at = 0, end = this.#count; at < end; at++) {
      const word = this.#places(at).loadRelaxed(at)
      if ((word & 3) !== WAITING) continue
      const ticket = word >>> 2
      if (found === undefined || isEarlier(ticket, found.ticket)) found = { at, ticket }
    }
    return found
  }

  get #count(): number {
    return Atomics.load(this.#memory, this.#base + COUNT)
  }

  #places(at: number): Places {
    return at < OWN_PLACES ? this.#own : (this.#more ??= this.#overflow.placesOf(numberOf(this.#memory), OWN_PLACES))
  }

  #nextTicket(): number {
    for (;;) {
      const ticket = Atomics.add(this.#memory, this.#base + TICKETS, 1) & TICKET_MASK
      if (ticket !== 0 && !this.#oldTickets(ticket).has(ticket)) return ticket
    }
  }

  /**
   * Tickets that must not be used again, because their calls are still in the queue. It is a copy, at most half of all
   * tickets old. Tickets that are newer than the copy cannot come again before the next copy.
   */
  #oldTickets(ticket: number): ReadonlySet<number> {
    if (this.#old === undefined || ((ticket - this.#lookedUpAt) & TICKET_MASK) >= HALF_OF_TICKETS) {
      this.#lookedUpAt = ticket
      this.#old = new Set(Array.from(this.all(), (place) => place.ticket))
    }
    return this.#old
  }

  #claim(): number {
    for (;;) {
      const count = this.#count
      // If few places are free, a new one costs less than the search for a free one.
      for (let tried = 0; tried < count && tried < MAX_TRIES; tried++) {
        const at = (this.#hint + tried) % count
        if (!this.#places(at).claim(at)) continue
        this.#hint = at + 1
        return at
      }
      this.#raiseCount(count)
    }
  }

  /** Raises COUNT by one place, in the overflow up to the next free place. */
  #raiseCount(count: number): void {
    let at = count
    while (at >= OWN_PLACES) {
      this.#overflow.makeRoom(at + 1 - OWN_PLACES)
      if (this.#places(at).isFree(at)) break
      at++
    }
    if (Atomics.compareExchange(this.#memory, this.#base + COUNT, count, at + 1) === count) this.#hint = at
  }
}

/** After the last ticket, tickets start again. */
function isEarlier(ticket: number, other: number): boolean {
  return (ticket - other) << (32 - TICKET_BITS) < 0
}
