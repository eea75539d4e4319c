/**
 * The permits that a semaphore has left, and the queue of calls that wait for one. Every call goes through the queue.
 *
 * One word of 64 bits has the count, and the state of a permit that moves: a ticket and a phase. A permit moves in two
 * steps. If a thread ends between them, another thread sees that in the word, and `passOn()` does the second step
 * first:
 * - GRANTING: a permit was subtracted from the count for the call with the ticket. Its place is granted, then the phase
 *   is GRANTED. If the call is not in the queue any more, it gave up. The permit is added again, and the phase is
 *   RETURNED.
 * - RETURNING: a call was granted, and its thread has ended. Its permit was added to the count. Its place is removed,
 *   then the phase is RETURNED. A granted call stays in its place until the word has another ticket. So if a thread
 *   does not find it, the call gave up. A ticket is granted once and returned once, and the count goes down only with a
 *   new ticket. So no word comes twice, and a compareExchange never takes a later word for the one that it has read.
 *
 * A thread that adds to the count or joins the queue then calls `passOn()`. If it ends before that, `releaseThreads()`
 * does.
 */
import { rangeError } from '../../errors.js'
import type { Shared } from '../shared-object.js'
import { GONE, GRANTED as CALL_GRANTED, WaitQueue, WAITING, type Place } from './wait-queue.js'

const GRANTED = 0
const RETURNED = 1
const GRANTING = 2
const RETURNING = 3

/** The most permits of a semaphore. */
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

  /** For a call that was granted a permit. */
  take(place: Place): void {
    this.passOn()
    this.queue.leave(place)
  }

  /** Adds permits, up to `max` in all. */
  add(permits: number, max: number): void {
    for (;;) {
      const word = this.#read()
      // A permit that is being granted may come back.
      if (word.count + permits + (word.phase === GRANTING ? 1 : 0) > max) {
        if (word.phase !== GRANTING) throw beyond(permits, word.count, max)
        this.passOn()
      } else if (this.#replace(word, word.count + permits, word.ticket, word.phase)) break
    }
    this.passOn()
  }

  /**
   * Gives permits to the first calls in the queue while there are any. A call that adds permits or joins must call
   * this.
   */
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

  /** For a granted call of a thread that has ended. Other threads may do the same at once. */
  #giveBack(place: Place): void {
    for (;;) {
      this.passOn()
      const word = this.#read()
      // The order matters: if the call is granted now, and the word is still the same, its permit was not given back.
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

/** The word of these values. Without a ticket: the first word of a semaphore. */
export function wordOf(count: number, ticket = 0, phase: number = GRANTED): bigint {
  return (BigInt(count) << 32n) | BigInt(((ticket << 2) | phase) >>> 0)
}

function beyond(permits: number, count: number, max: number): RangeError {
  return rangeError(
    'ERR_INVALID_OPTION',
    `Cannot release a semaphore by ${permits} as it has ${count} of at most ${max} permits already`,
  )
}
