/**
 * A barrier: calls wait until there are enough of them.
 *
 * STATE is one word: the number of the round, how many calls have come in it, whether it is broken. The call that makes it
 * complete writes the next round, and a call is through when the round is another than its own. Whatever ends a round otherwise
 * makes it broken first, which is the end of it: nobody can come then. Only `reset()` leads on from there, and before
 * it does, it takes the calls of the round that still are there out of WAITING: so they know when they wake.
 * A call has a place in a line before it is counted, with the round as its ticket. A thread that ended with a place of the round
 * that is on breaks it: it will not come, or has come and does not go on.
 */
import { BrokenBarrierError } from '../errors.js'
import { OptionReader } from '../options.js'
import { defineShared, HEADER, isMemory, Shared, type Memory } from '../shared/shared.js'
import { createMemoryWithLine, Line, GRANTED, WAITING, type Place } from './line.js'
import { ownOverflow } from './overflow.js'
import { BROKEN, countOf, isBroken, MOST, nextRound, ONE, ticketOf } from './rounds.js'
import { checkInteger, checkMayBlock, checkTimeout, Deadline, wait, waitSync } from './waiting.js'

const KIND = 7
const STATE = HEADER
const PARTIES = HEADER + 1
const TIMEOUT = HEADER + 2
const CELLS = 4

export interface BarrierOptions {
  /** How long each call of `wait()` waits at most, in whole milliseconds, if it does not say; without one for ever. */
  readonly timeout?: number
}

/**
 * A barrier across threads: each call of `wait()` waits until there are as many as the barrier has parties, and then all go on;
 * with the next call a new round begins. A call that runs out of time, or whose thread ends, breaks the barrier: all that wait
 * and that come later throw `BrokenBarrierError`, until somebody calls `reset()`.
 *
 * Python's `action` is left out: functions do not cross to other threads. Let the call that gets 0 do it, and a second `wait()`
 * follow where the others need it to be done.
 *
 * @example
 * ```ts
 * import { Barrier } from 'millrace'
 *
 * const barrier = new Barrier(3)
 * const places = await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()])
 * console.log(places)
 * // → [ 0, 1, 2 ]
 * ```
 */
export class Barrier extends Shared {
  readonly #line: Line

  /**
   * @param parties How many calls go on together: an integer from 1 to 65,535.
   * @throws {RangeError} If it is another number, or the timeout is.
   */
  constructor(parties: number, options?: BarrierOptions)
  /** @internal */
  constructor(parties: Memory, options: readonly Shared[])
  constructor(parties: number | Memory, options: BarrierOptions | readonly Shared[] = {}) {
    if (isMemory(parties)) super(parties, options as readonly Shared[])
    else super(createBarrierMemory(parties, options as BarrierOptions), [ownOverflow()])
    this.#line = new Line(this.memory, HEADER + CELLS, this.parts)
  }

  /** How many calls go on together. */
  get parties(): number {
    return Atomics.load(this.memory, PARTIES)
  }

  /** How many calls wait at the moment. */
  get waiting(): number {
    return isBroken(this.#state) ? 0 : countOf(this.#state)
  }

  /** Whether it is broken, at the moment. */
  get broken(): boolean {
    return isBroken(this.#state)
  }

  /**
   * Waits until all parties have come. While it waits it keeps the program alive.
   *
   * @param timeout How long to wait at most, in milliseconds; by default the barrier's own.
   * @returns As how many-eth it came, from 0: each call gets another number.
   * @throws {BrokenBarrierError} If the barrier is broken, or becomes so, or time is over, which breaks it.
   * @throws {RangeError} If `timeout` is negative or `NaN`.
   */
  async wait(timeout: number = this.#timeout): Promise<number> {
    checkTimeout('wait at a barrier', timeout)
    const deadline = new Deadline(timeout)
    const { place, number } = this.#come()
    for (let state = this.#await(place); state !== undefined; state = this.#await(place)) {
      if (!(await wait(this.memory, STATE, state, deadline.left))) this.#break(place.ticket)
    }
    return this.#go(place, number)
  }

  /**
   * The same, holding the thread: for workers. Not for a thread whose own workers are parties and may be terminated, unless it has a
   * timeout: the barrier is broken when the thread hears of that, which it does by its event loop.
   *
   * @throws {SyncError} On the main thread.
   */
  waitSync(timeout: number = this.#timeout): number {
    checkTimeout('wait at a barrier', timeout)
    checkMayBlock('wait at a barrier synchronously', 'wait()')
    const deadline = new Deadline(timeout)
    const { place, number } = this.#come()
    for (let state = this.#await(place); state !== undefined; state = this.#await(place)) {
      if (!waitSync(this.memory, STATE, state, deadline.left)) this.#break(place.ticket)
    }
    return this.#go(place, number)
  }

  /** Makes the barrier as new: calls that wait throw `BrokenBarrierError`, later ones do not. */
  reset(): void {
    const state = this.#state
    if (countOf(state) > 0) this.#break(ticketOf(state))
    this.#mend()
  }

  /** Breaks the barrier. */
  abort(): void {
    while (!isBroken(this.#state)) this.#break(ticketOf(this.#state))
  }

  /** @internal */
  bury(threads: ReadonlySet<number>): void {
    for (const place of this.#line.of(threads)) {
      if (this.#line.stateOf(place) === WAITING) this.#break(place.ticket)
      this.#line.remove(place, threads)
    }
    Atomics.notify(this.memory, STATE)
  }

  /** Counts a call, with a place in line. */
  #come(): { place: Place; number: number } {
    for (;;) {
      const state = this.#state
      if (isBroken(state)) throw broken()
      const place = this.#line.join(ticketOf(state))
      const number = countOf(state)
      const last = number + 1 === this.parties
      if (this.#replace(state, last ? nextRound(state) : state + ONE)) {
        if (last) Atomics.notify(this.memory, STATE)
        return { place, number }
      }
      this.#line.leave(place)
    }
  }

  /** The state that a call waits to see changed; `undefined` if it does not wait any more. */
  #await(place: Place): number | undefined {
    const state = this.#state
    return isBroken(state) || ticketOf(state) !== place.ticket ? undefined : state
  }

  #go(place: Place, number: number): number {
    const state = this.#state
    const isThrough = ticketOf(state) !== place.ticket && this.#line.stateOf(place) === WAITING
    this.#line.leave(place)
    if (!isThrough) throw broken()
    return number
  }

  /** Breaks a round, if it is on. False if it is not. */
  #break(ticket: number): boolean {
    for (;;) {
      const state = this.#state
      if (ticketOf(state) !== ticket || isBroken(state)) return false
      if (!this.#replace(state, state | BROKEN)) continue
      Atomics.notify(this.memory, STATE)
      return true
    }
  }

  /** Begins a new round after one that is broken. */
  #mend(): void {
    const state = this.#state
    if (!isBroken(state)) return
    for (const place of this.#line.all()) {
      if (place.ticket === ticketOf(state)) this.#line.move(place, WAITING, GRANTED)
    }
    this.#replace(state, nextRound(state))
    Atomics.notify(this.memory, STATE)
  }

  get #state(): number {
    return Atomics.load(this.memory, STATE)
  }

  get #timeout(): number {
    const timeout = Atomics.load(this.memory, TIMEOUT)
    return timeout < 0 ? Infinity : timeout
  }

  #replace(state: number, other: number): boolean {
    return Atomics.compareExchange(this.memory, STATE, state, other) === state
  }
}

function broken(): BrokenBarrierError {
  return new BrokenBarrierError('Cannot wait at a barrier as it is broken: reset() mends it')
}

function createBarrierMemory(parties: unknown, options: BarrierOptions): Memory {
  checkInteger('make a barrier', 'parties', parties, 1, MOST)
  const timeout = new OptionReader<BarrierOptions>('make a barrier', options, ['timeout']).milliseconds('timeout')
  const memory = createMemoryWithLine(KIND, CELLS)
  memory[PARTIES] = parties as number
  memory[TIMEOUT] = timeout === undefined || timeout === Infinity ? -1 : timeout
  return memory
}

defineShared(KIND, (memory, parts) => new Barrier(memory, parts))
