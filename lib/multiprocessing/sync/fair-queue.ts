/**
 * Calls that wait for something (an item, room) and then try to take it. Threads are served first come, first served.
 * Of each thread, only the first call stands in the queue. The calls of a thread are served in their order.
 *
 * A granted call should try: there may be something for it. If its attempt fails, it returns to its position in the
 * queue. So it does no harm to grant one call too many. As many calls are granted as there are things, so no call must
 * wait until another thread runs. A thread that adds a thing, joins or leaves then calls `serve()`. If it ends before
 * that, `releaseThreads()` of the owner does.
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

/** The things that calls wait for. */
export interface Wanted<R> {
  /** The number of things: this many calls should try. */
  readonly available: () => number
  /** Tries to take one; `undefined` if there was none. */
  readonly attempt: () => R | undefined
  /** If there is a lock, it is held during an attempt. */
  readonly lock?: InternalLock
}

export class FairQueue extends Shared {
  readonly #queue: WaitQueue
  readonly #local = new LocalMutex()

  constructor(memory: Memory = createMemoryWithQueue(KIND, 0), parts: readonly Shared[] = [ownOverflow()]) {
    super(memory, parts)
    this.#queue = new WaitQueue(memory, HEADER, parts)
  }

  /** Grants as many calls as there are things. */
  serve({ available }: Pick<Wanted<unknown>, 'available'>): void {
    for (let first = this.#queue.first(); first !== undefined; first = this.#queue.first()) {
      if (this.#granted >= available()) return
      this.#queue.grant(first)
    }
  }

  /**
   * The first result of an attempt, or `undefined` if time is over. When the signal fires, it rejects, and does not try
   * again.
   */
  wait<R>(wanted: Wanted<R>, limits: Limits): R | undefined | Promise<R | undefined> {
    return (this.#local.isLocked ? undefined : this.#tryNow(wanted)) ?? settle(this.#steps(wanted, limits, false))
  }

  /** As `wait()`, for a call that blocks its thread. It does not wait for other calls of the thread. */
  waitSync<R>(wanted: Wanted<R>, limits: Limits): R | undefined {
    return this.#tryNow(wanted) ?? block(this.#steps(wanted, limits, true))
  }

  /** @internal */
  override get lockables(): readonly Shared[] {
    return []
  }

  /** After it the owner must call `serve()`. @internal */
  releaseThreads(threads: ReadonlySet<number>): void {
    for (const place of this.#queue.of(threads)) this.#queue.remove(place, threads)
    this.#queue.wakeGranted()
  }

  /** A first attempt, without any wait. */
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

  /** The steps of the one call of this thread that may stand in the queue. */
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

  /** Whether no other call comes first. */
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
