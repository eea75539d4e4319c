/**
 * The owner of a lock, and the queue of calls that wait for the lock. Every call goes through the queue, so none
 * overtakes another.
 *
 * OWNER is the ticket of the call that has the lock, and whether the lock was abandoned before. With ticket 0 the lock
 * is free. The call whose ticket is written into OWNER gets the lock. Any thread can do the rest (its GRANTED, the
 * notification): `passOn()` and `releaseThreads()` do it first. If that call has given up meanwhile, the thread that
 * notices it removes the ticket. A holder stays in the queue until OWNER changes. So a ticket in OWNER that is not in
 * the queue has given up. A thread that frees OWNER or joins the queue then calls `passOn()`. If it ends before that,
 * `releaseThreads()` does. So a free lock is always given to the first call that waits for it.
 */
import { threadId } from 'node:worker_threads'
import type { Memory } from '../../shared/memory.js'
import type { Shared } from '../shared-object.js'
import { GONE, GRANTED, WaitQueue, TAKEN, WAITING, type Place } from './wait-queue.js'

export class Ownership {
  readonly queue: WaitQueue
  readonly #memory: Memory
  readonly #cell: number

  /** `cell` is that of OWNER; `base` is the first of the queue. */
  constructor({ memory, parts }: Shared, cell: number, base: number) {
    this.queue = new WaitQueue(memory, base, parts)
    this.#memory = memory
    this.#cell = cell
  }

  /** The ticket of the call that has it, or is getting it; 0 if it is free. */
  get ticket(): number {
    return this.#owner >>> 1
  }

  /** The call that has it, or is getting it. */
  get holder(): Place | undefined {
    const { ticket } = this
    return ticket === 0 ? undefined : this.queue.find(ticket)
  }

  /** Whether a call of this thread has it, and knows that. */
  get isHere(): boolean {
    const { holder } = this
    return holder !== undefined && this.queue.stateOf(holder) === TAKEN && this.queue.threadOf(holder) === threadId
  }

  /** For a call that was granted: notes that it knows. True if the lock was abandoned before. */
  take(place: Place): boolean {
    this.queue.move(place, GRANTED, TAKEN)
    return (this.#owner & 1) === 1
  }

  /** For its holder. */
  free(): void {
    const { holder } = this
    Atomics.store(this.#memory, this.#cell, 0)
    if (holder !== undefined) this.queue.leave(holder)
    this.passOn()
  }

  /** Gives it to the first call in the queue, if it is free. A call that frees it, joins or gives up must call this. */
  passOn(): void {
    for (;;) {
      const owner = this.#owner
      if (owner >>> 1 === 0) {
        const next = this.queue.first()
        if (next === undefined) return
        this.#replace(owner, (next.ticket << 1) | owner)
        continue
      }
      const place = this.queue.find(owner >>> 1)
      const state = place === undefined ? GONE : this.queue.stateOf(place)
      if (place === undefined) this.#replace(owner, owner & 1)
      else if (state === GRANTED || state === TAKEN || this.queue.grant(place)) return
    }
  }

  releaseThreads(threads: ReadonlySet<number>): void {
    for (const place of this.queue.of(threads)) {
      this.#giveUp(place)
      this.queue.remove(place, threads)
    }
    this.queue.wakeGranted()
    this.passOn()
  }

  /** For a call of a thread that has ended. */
  #giveUp(place: Place): void {
    if (this.queue.move(place, WAITING, GONE)) return
    const state = this.queue.stateOf(place)
    const owner = this.#owner
    if (owner >>> 1 !== place.ticket) return
    // Only a call that knew it had the lock can have left something half done.
    this.#replace(owner, state === TAKEN ? 1 : owner & 1)
  }

  get #owner(): number {
    return Atomics.load(this.#memory, this.#cell)
  }

  #replace(owner: number, other: number): void {
    Atomics.compareExchange(this.#memory, this.#cell, owner, other)
  }
}
