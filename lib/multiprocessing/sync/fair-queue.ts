/**
 * Calls that wait for there to be something (an item, a place) and then try to take it: first come, first served, of
 * the threads; on one thread, in the order of its calls, of which only the first stands in line.
 *
 * To be granted is a hint that it is worth a try. Who tries in vain goes back to where it was in line. So it costs
 * nobody anything if one call too many is granted; and as many are granted as there are things, no call has to wait for
 * the thread of another to run. A thread that adds a thing, joins or leaves calls `serve()` next. If it ends before
 * that, `releaseThreads()` of the owner does so.
 */
import { HEADER, type Memory } from '../../shared/memory.js'
import { defineShared, Shared } from '../shared-object.js'
import { createMemoryWithQueue, GRANTED, WaitQueue, type Place } from './wait-queue.js'
import { ownOverflow } from './overflow.js'
import { LocalMutex } from './local-wait-queue.js'
import { Limits } from './limits.js'

const KIND = 35

/** What calls wait for. */
export interface Wanted<R> {
  /** How many things there are: this many calls may be served. */
  readonly available: () => number
  /** Tries; `undefined` if there was nothing. */
  readonly attempt: () => R
}

type Eventual<R> = R | undefined | Promise<R | undefined>

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
  async wait<R>(wanted: Wanted<Eventual<R>>, limits: Limits): Promise<R | undefined> {
    if (!this.#local.tryLock() && !(await this.#local.lock(limits))) return undefined
    try {
      return await this.#wait(wanted, limits)
    } finally {
      this.#local.unlock()
    }
  }

  /** The same, holding the thread; it waits not for other calls of the thread. */
  waitSync<R>(wanted: Wanted<R | undefined>, timeout: number): R | undefined {
    const limits = new Limits(timeout)
    const early = this.#isNext(wanted) ? wanted.attempt() : undefined
    if (early !== undefined || timeout === 0) return early
    let ticket: number | undefined
    for (;;) {
      const place = this.#queue.join(ticket)
      ticket = place.ticket
      this.serve(wanted)
      if (!this.#queue.waitSync(place, limits.left)) return undefined
      try {
        const result = wanted.attempt()
        if (result !== undefined) return result
      } finally {
        this.#leave(place, wanted)
      }
    }
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

  async #wait<R>(wanted: Wanted<Eventual<R>>, limits: Limits): Promise<R | undefined> {
    limits.throwIfAborted()
    const early = this.#isNext(wanted) ? await wanted.attempt() : undefined
    if (early !== undefined || limits.left === 0) return early
    let ticket: number | undefined
    for (;;) {
      const place = this.#queue.join(ticket)
      ticket = place.ticket
      this.serve(wanted)
      if (!(await this.#isGranted(place, wanted, limits))) return undefined
      try {
        limits.throwIfAborted()
        const result = await wanted.attempt()
        if (result !== undefined) return result
      } finally {
        this.#leave(place, wanted)
      }
    }
  }

  async #isGranted(place: Place, wanted: Wanted<unknown>, limits: Limits): Promise<boolean> {
    let isGranted = false
    try {
      isGranted = await this.#queue.wait(place, limits)
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

  #leave(place: Place, wanted: Wanted<unknown>): void {
    this.#queue.leave(place)
    this.serve(wanted)
  }
}

defineShared(KIND, (memory, parts) => new FairQueue(memory, parts))
