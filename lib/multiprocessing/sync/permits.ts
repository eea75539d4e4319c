/**
 * How many permits a semaphore has left, and the queue of those who wait for one. Every taker goes through the queue.
 *
 * COUNT and what is being done with a permit are one word of 64 bits: the count, a ticket, a phase. Permits move in two
 * steps, so that whatever ends in between, others can see it and finish it (`passOn()` does, first of all):
 * - GRANTING: a permit was taken off the count for the call of the ticket. Its place is granted, then the phase is
 *   GRANTED. If the call is not in the queue any more, it gave up: the permit is added again, and the phase is
 *   RETURNED.
 * - RETURNING: the permit of a call that was granted, and whose thread has ended, was added to the count. Its place is
 *   taken away, then the phase is RETURNED. A call that was granted stays in its place until the word is not about it.
 *   A thread that does not find it knows that it gave up. A ticket is granted once and returned once, and the count
 *   goes down only with a new ticket. So no word comes twice, and a compareExchange never mistakes a later word for the
 *   one it has read.
 *
 * A thread that adds to the count or joins the queue calls `passOn()` next. If it ends before that, `releaseThreads()`
 * does so.
 */
import { rangeError } from '../../errors.js'
import type { Shared } from '../shared-object.js'
import { GONE, GRANTED as CALL_GRANTED, WaitQueue, WAITING, type Place } from './wait-queue.js'

const GRANTED = 0
const RETURNED = 1
const GRANTING = 2
const RETURNING = 3

/** The max permits there can be. */
export const MAX_PERMITS: number = 2 ** 31 - 1

interface Word {
  readonly whole: bigint
  readonly count: number
  readonly ticket: number
  readonly phase: number
}

export class Permits {
  readonly queue: WaitQueue
  readonly #words: BigInt64Array
  readonly #word: number

  /** `cell` is the first of the two of the word, an even one; `base` is the first of the queue. */
  constructor({ memory, parts }: Shared, cell: number, base: number) {
    this.queue = new WaitQueue(memory, base, parts)
    this.#words = new BigInt64Array(memory.buffer)
    this.#word = cell / 2
  }

  get count(): number {
    return this.#read().count
  }

  /** Goes to the end of the queue, or has a permit at once. */
  join(): Place {
    const place = this.queue.join()
    this.passOn()
    return place
  }

  /** For a call that was granted a permit. */
  take(place: Place): void {
    this.passOn()
    this.queue.leave(place)
  }

  /** Adds permits, up to `max` in all. */
  add(permits: number, max: number): void {
    for (;;) {
      const word = this.#read()
      // One that is on its way may come back.
      if (word.count + permits + (word.phase === GRANTING ? 1 : 0) > max) {
        if (word.phase !== GRANTING) throw beyond(permits, word.count, max)
        this.passOn()
      } else if (this.#replace(word, word.count + permits, word.ticket, word.phase)) break
    }
    this.passOn()
  }

  /** Gives permits to the first in the queue while there are any. To be called whenever that may have come true. */
  passOn(): void {
    for (;;) {
      const word = this.#read()
      const { count, ticket, phase } = word
      if (phase === GRANTING) {
        const place = this.queue.find(ticket)
        if (place === undefined) this.#replace(word, count + 1, ticket, RETURNED)
        else if (this.queue.stateOf(place) === CALL_GRANTED) this.#replace(word, count, ticket, GRANTED)
        else this.queue.grant(place)
      } else if (phase === RETURNING) {
        const place = this.queue.find(ticket)
        if (place !== undefined) this.queue.move(place, CALL_GRANTED, GONE)
        this.#replace(word, count, ticket, RETURNED)
      } else {
        const next = count === 0 ? undefined : this.queue.first()
        if (next === undefined) return
        this.#replace(word, count - 1, next.ticket, GRANTING)
      }
    }
  }

  releaseThreads(threads: ReadonlySet<number>): void {
    for (const place of this.queue.of(threads)) {
      if (!this.queue.move(place, WAITING, GONE)) this.#giveBack(place)
      this.queue.remove(place, threads)
    }
    this.queue.wakeGranted()
    this.passOn()
  }

  /** For a granted call of a thread that has ended: others may be doing the same. */
  #giveBack(place: Place): void {
    for (;;) {
      this.passOn()
      const word = this.#read()
      // In this order: if it is granted now, and the word is the one read, nobody has given it back.
      if (this.queue.stateOf(place) !== CALL_GRANTED) return
      if (word.phase === GRANTED || word.phase === RETURNED) {
        this.#replace(word, word.count + 1, place.ticket, RETURNING)
      }
    }
  }

  #read(): Word {
    const whole = Atomics.load(this.#words, this.#word)
    const low = Number(whole & 0xffff_ffffn)
    return { whole, count: Number(whole >> 32n), ticket: low >>> 2, phase: low & 3 }
  }

  #replace({ whole }: Word, count: number, ticket: number, phase: number): boolean {
    return Atomics.compareExchange(this.#words, this.#word, whole, wordOf(count, ticket, phase)) === whole
  }
}

/** What the word is at first. */
export function wordOf(count: number, ticket = 0, phase: number = GRANTED): bigint {
  return (BigInt(count) << 32n) | BigInt(((ticket << 2) | phase) >>> 0)
}

function beyond(permits: number, count: number, max: number): RangeError {
  return rangeError(
    'ERR_INVALID_OPTION',
    `Cannot release a semaphore by ${permits} as it has ${count} of at most ${max} permits already`,
  )
}
