/**
 * Calls that wait for there to be something (an item, a place) and then try to take it: first come, first served, of
 * the threads; on one thread, in the order of its calls, of which only the first stands in the queue.
 *
 * To be granted is a hint that it is worth a try. Who tries in vain goes back to where it was in the queue. So it costs
 * nobody anything if one call too many is granted; and as many are granted as there are things, no call has to wait for
 * the thread of another to run. A thread that adds a thing, joins or leaves calls `serve()` next. If it ends before
 * that, `releaseThreads()` of the owner does so.
 */
import { HEADER, type Memory } from '../../shared/memory.js'
import { defineShared, Shared } from '../shared-object.js'
import { createMemoryWithQueue, GRANTED, WaitQueue, type Place } from './wait-queue.js'
import { ownOverflow } from './overflow.js'
import { LocalMutex } from './local-wait-queue.js'
import type { InternalLock } from './internal-lock.js'
import type { Limits } from './limits.js'
import { block, settle, type Steps } from './steps.js'

const KIND = 35

/** What calls wait for. */
export interface Wanted<R> {
  /** How many things there are: for this many calls it is worth a try. */
  readonly available: () => number
  /** Tries; `undefined` if there was nothing. */
  readonly attempt: () => R | undefined
  /** Held during an attempt, if there is one. */
  readonly lock?: InternalLock
}

export class FairQueue extends Shared {
  readonly #queue: WaitQueue
  readonly #local = new LocalMutex()

  constructor(memory: Memory = createMemoryWithQueue(KIND, 0), parts: readonly Shared[] = [ownOverflow()]) {
    super(memory, parts)
    this.#queue = new WaitQueue(memory, HEADER, parts)
  }

  /** Wakes as many calls as there are things. */
  serve({ available }: Pick<Wanted<unknown>, 'available'>): void {
    for (let first = this.#queue.first(); first !== undefined; first = this.#queue.first()) {
      if (this.#granted >= available()) return
      this.#queue.grant(first)
    }
  }

  /**
   * The first result of an attempt, or `undefined` if time is over. When the signal fires, it rejects, and makes no
   * further attempt.
   */
  wait<R>(wanted: Wanted<R>, limits: Limits): R | undefined | Promise<R | undefined> {
    return (this.#local.isLocked ? undefined : this.#tryNow(wanted)) ?? settle(this.#steps(wanted, limits, false))
  }

  /** The same, for a call that blocks its thread. It does not wait for other calls of the thread. */
  waitSync<R>(wanted: Wanted<R>, limits: Limits): R | undefined {
    return this.#tryNow(wanted) ?? block(this.#steps(wanted, limits, true))
  }

  /** @internal */
  override get lockables(): readonly Shared[] {
    return []
  }

  /** The owner must `serve()` next. @internal */
  releaseThreads(threads: ReadonlySet<number>): void {
    for (const place of this.#queue.of(threads)) this.#queue.remove(place, threads)
    this.#queue.wakeGranted()
  }

  /** A first attempt, without waiting for anything. */
  #tryNow<R>(wanted: Wanted<R>): R | undefined {
    if (!this.#isNext(wanted)) return undefined
    return wanted.lock === undefined ? wanted.attempt() : wanted.lock.tryRun(wanted.attempt)
  }

  *#steps<R>(wanted: Wanted<R>, limits: Limits, blocks: boolean): Steps<R | undefined> {
    if (!blocks && !this.#local.tryLock() && !(yield this.#local.turn(limits))) return undefined
    try {
      return yield* this.#inTurn(wanted, limits)
    } finally {
      if (!blocks) this.#local.unlock()
    }
  }

  /** For a call that may stand in the queue. */
  *#inTurn<R>(wanted: Wanted<R>, limits: Limits): Steps<R | undefined> {
    limits.throwIfAborted()
    const early = this.#isNext(wanted) ? yield* attempt(wanted) : undefined
    if (early !== undefined || limits.left === 0) return early
    let ticket: number | undefined
    for (;;) {
      const place = this.#queue.join(ticket)
      ticket = place.ticket
      if (!(yield* this.#isGranted(place, wanted, limits))) return undefined
      try {
        limits.throwIfAborted()
        const result = yield* attempt(wanted)
        if (result !== undefined) return result
      } finally {
        this.#queue.leave(place)
        this.serve(wanted)
      }
    }
  }

  *#isGranted(place: Place, wanted: Wanted<unknown>, limits: Limits): Steps<boolean> {
    let isGranted = false
    this.serve(wanted)
    try {
      isGranted = yield* this.#queue.wait(place, limits)
    } finally {
      if (!isGranted) this.serve(wanted)
    }
    return isGranted
  }

  /** Whether nobody else is to have what there is. */
  #isNext(wanted: Wanted<unknown>): boolean {
    return this.#queue.first() === undefined && this.#granted < wanted.available()
  }

  get #granted(): number {
    let count = 0
    for (const place of this.#queue.all()) if (this.#queue.stateOf(place) === GRANTED) count++
    return count
  }
}

function* attempt<R>({ attempt, lock }: Wanted<R>): Steps<R | undefined> {
  return lock === undefined ? attempt() : yield* lock.run(attempt)
}

defineShared(KIND, (memory, parts) => new FairQueue(memory, parts))
