/**
 * Calls that wait for there to be something (an item, a place) and then try to take it: first come, first served, of the
 * threads; on one thread, in the order of its calls, of which only the first stands in line.
 *
 * To be granted is a hint that it is worth a try. Who tries in vain goes back to where it was in line. So it costs nobody anything if one
 * call too many is granted; and as many are granted as there are things, no call has to wait for the thread of another to run.
 * Whoever adds a thing, joins or leaves calls `serve()` next; for those who end before they can, `bury()` of the owner does.
 */
import { HEADER, type Memory } from '../../shared/memory.js'
import { defineShared, Shared } from '../shared-object.js'
import { createMemoryWithLine, GRANTED, Line, type Place } from './line.js'
import { ownOverflow } from './overflow.js'
import { TurnTaking } from './calls.js'
import { Limits } from './limits.js'

const KIND = 35

/** What calls wait for. */
export interface Wanted<R> {
  /** How many things there are: for so many calls it is worth a try. */
  readonly available: () => number
  /** Tries; `undefined` if there was nothing. */
  readonly attempt: () => R
}

type Eventual<R> = R | undefined | Promise<R | undefined>

export class Turns extends Shared {
  readonly #line: Line
  readonly #turns = new TurnTaking()

  constructor(memory: Memory = createMemoryWithLine(KIND, 0), parts: readonly Shared[] = [ownOverflow()]) {
    super(memory, parts)
    this.#line = new Line(memory, HEADER, parts)
  }

  /** Wakes as many calls as there are things. */
  serve({ available }: Pick<Wanted<unknown>, 'available'>): void {
    for (let first = this.#line.first(); first !== undefined; first = this.#line.first()) {
      if (this.#granted >= available()) return
      this.#line.grant(first)
    }
  }

  /** The first result of an attempt, or `undefined` if time is over. When the signal fires, it rejects, and makes no further attempt. */
  async wait<R>(wanted: Wanted<Eventual<R>>, limits: Limits): Promise<R | undefined> {
    if (!this.#turns.begin() && !(await this.#turns.wait(limits))) return undefined
    try {
      return await this.#wait(wanted, limits)
    } finally {
      this.#turns.end()
    }
  }

  /** The same, holding the thread; it waits not for other calls of the thread. */
  waitSync<R>(wanted: Wanted<R | undefined>, timeout: number): R | undefined {
    const limits = new Limits(timeout)
    const early = this.#isNext(wanted) ? wanted.attempt() : undefined
    if (early !== undefined || timeout === 0) return early
    let ticket: number | undefined
    for (;;) {
      const place = this.#line.join(ticket)
      ticket = place.ticket
      this.serve(wanted)
      if (!this.#line.waitSync(place, limits.left)) return undefined
      try {
        const result = wanted.attempt()
        if (result !== undefined) return result
      } finally {
        this.#leave(place, wanted)
      }
    }
  }

  /** @internal */
  override get claims(): readonly Shared[] {
    return []
  }

  /** The owner must `serve()` next. @internal */
  bury(threads: ReadonlySet<number>): void {
    for (const place of this.#line.of(threads)) this.#line.remove(place, threads)
    this.#line.wakeGranted()
  }

  async #wait<R>(wanted: Wanted<Eventual<R>>, limits: Limits): Promise<R | undefined> {
    limits.throwIfAborted()
    const early = this.#isNext(wanted) ? await wanted.attempt() : undefined
    if (early !== undefined || limits.left === 0) return early
    let ticket: number | undefined
    for (;;) {
      const place = this.#line.join(ticket)
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
      isGranted = await this.#line.wait(place, limits)
    } finally {
      if (!isGranted) this.serve(wanted)
    }
    return isGranted
  }

  /** Whether nobody else is to have what there is. */
  #isNext(wanted: Wanted<unknown>): boolean {
    return this.#line.first() === undefined && this.#granted < wanted.available()
  }

  get #granted(): number {
    let count = 0
    for (const place of this.#line.all()) if (this.#line.stateOf(place) === GRANTED) count++
    return count
  }

  #leave(place: Place, wanted: Wanted<unknown>): void {
    this.#line.leave(place)
    this.serve(wanted)
  }
}

defineShared(KIND, (memory, parts) => new Turns(memory, parts))
