/**
 * Calls that wait for there to be something (an item, a place) and then try to take it: first come, first served, of the
 * threads; on one thread, in the order of its calls, of which only the first stands in line.
 *
 * To be granted is a hint that it is worth a try. Who tries in vain goes back to where it was in line. So it costs nobody anything if one
 * call too many is granted; and as many are granted as there are things, no call has to wait for the thread of another to run.
 * Whoever adds a thing, joins or leaves calls `serve()` next; for those who end before they can, `bury()` of the owner does.
 */
import { MAX_TIMEOUT } from '../options.js'
import { defineShared, HEADER, Shared, type Memory } from '../shared/shared.js'
import { createMemoryWithLine, GRANTED, Line, type Place } from './line.js'
import { ownOverflow } from './overflow.js'
import { Deadline } from './waiting.js'

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
  /** Settles when all calls of this thread have ended; undefined if they have. */
  #last: Promise<unknown> | undefined

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

  /** The first result of an attempt, or `undefined` if time is over. When the signal fires, there is one more attempt. */
  wait<R>(wanted: Wanted<Eventual<R>>, timeout: number, signal?: AbortSignal): Promise<R | undefined> {
    const deadline = new Deadline(timeout)
    const before = this.#last
    const result =
      before === undefined ? this.#wait(wanted, deadline, signal) : this.#waitAfter(before, wanted, deadline, signal)
    const last = Promise.allSettled([before, result])
    this.#last = last
    void last.then(() => {
      if (this.#last === last) this.#last = undefined
    })
    return result
  }

  /** The same, holding the thread; it waits not for other calls of the thread. */
  waitSync<R>(wanted: Wanted<R | undefined>, timeout: number): R | undefined {
    const deadline = new Deadline(timeout)
    const early = this.#isNext(wanted) ? wanted.attempt() : undefined
    if (early !== undefined || timeout === 0) return early
    let ticket: number | undefined
    for (;;) {
      const place = this.#line.join(ticket)
      ticket = place.ticket
      this.serve(wanted)
      if (!this.#line.waitSync(place, deadline.left)) return undefined
      try {
        const result = wanted.attempt()
        if (result !== undefined) return result
      } finally {
        this.#leave(place, wanted)
      }
    }
  }

  /** The owner must `serve()` next. @internal */
  bury(threads: ReadonlySet<number>): void {
    for (const place of this.#line.of(threads)) this.#line.remove(place, threads)
    this.#line.wakeGranted()
  }

  async #wait<R>(wanted: Wanted<Eventual<R>>, deadline: Deadline, signal?: AbortSignal): Promise<R | undefined> {
    const early = this.#isNext(wanted) || signal?.aborted === true ? await wanted.attempt() : undefined
    if (early !== undefined || deadline.left === 0) return early
    let ticket: number | undefined
    for (;;) {
      const place = this.#line.join(ticket)
      ticket = place.ticket
      this.serve(wanted)
      if (!(await this.#granting(place, deadline, signal))) return undefined
      try {
        const result = await wanted.attempt()
        if (result !== undefined) return result
      } finally {
        this.#leave(place, wanted)
      }
    }
  }

  async #waitAfter<R>(
    before: Promise<unknown>,
    wanted: Wanted<Eventual<R>>,
    deadline: Deadline,
    signal?: AbortSignal,
  ): Promise<R | undefined> {
    return (await settlesWithin(before, deadline.left)) ? this.#wait(wanted, deadline, signal) : undefined
  }

  async #granting(place: Place, deadline: Deadline, signal?: AbortSignal): Promise<boolean> {
    const wake = (): void => {
      this.#line.grant(place)
    }
    signal?.addEventListener('abort', wake)
    try {
      return await this.#line.wait(place, deadline.left)
    } finally {
      signal?.removeEventListener('abort', wake)
    }
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

/** Whether it settled before the time was over. */
async function settlesWithin(promise: Promise<unknown>, timeout: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<false>((resolve) => {
    if (timeout !== Infinity) timer = setTimeout(resolve, Math.min(timeout, MAX_TIMEOUT), false)
  })
  try {
    return await Promise.race([promise.then(() => true), over])
  } finally {
    clearTimeout(timer)
  }
}

defineShared(KIND, (memory, parts) => new Turns(memory, parts))
