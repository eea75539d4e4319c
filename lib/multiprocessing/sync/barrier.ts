/**
 * A barrier: calls wait until there are enough of them.
 *
 * STATE is one word: the number of the round, how many calls have come in it, or how it ended (`barrier-state.ts`). The
 * call that makes the round complete writes the next round, and a call is through when the round is another than its
 * own. A round that ends otherwise is broken, or its calls are sent away, and is over by that one step: nobody can come
 * to it then.
 * - To break it is all: it stays so until `reset()`.
 * - To send its calls away takes two more steps. Each thread that sees the word does them, and `releaseThreads()` does.
 *   The remaining calls of the round are taken out of WAITING, so they know when they wake; then the next round begins.
 *   A call that comes meanwhile does these first, so it comes to the next round. Each step can be done twice, and in
 *   part: it names the round.
 *
 * A call has a place in a queue before it is counted, with the round as its ticket. A thread that ended with a place of
 * the current round breaks it: it will not come, or has come and does not continue.
 */
import { pointAtCaller } from '../../call-site.js'
import { BrokenBarrierError } from '../errors.js'
import { OptionReader } from '../../options.js'
import { HEADER, isMemory, type Memory } from '../../shared/memory.js'
import { defineShared, Shared } from '../shared-object.js'
import { createMemoryWithQueue, WaitQueue, GRANTED, WAITING, type Place } from './wait-queue.js'
import { ownOverflow } from './overflow.js'
import { readLimits, readSyncLimits, type Limits, type SyncWaitOptions, type WaitOptions } from './limits.js'
import {
  broken,
  countOf,
  isBroken,
  isOver,
  isSentAway,
  MAX_PARTIES,
  nextRound,
  ONE,
  sentAway,
  ticketOf,
} from './barrier-state.js'
import { checkInteger, checkMayBlock } from './checks.js'
import { block, settle, type Steps } from './steps.js'
import { CellWatch } from './cell-watch.js'

const KIND = 7
const STATE = HEADER
const PARTIES = HEADER + 1
const TIMEOUT = HEADER + 2
const CELLS = 4
const WAIT = 'wait at a barrier'

/** Options of a barrier. */
export interface BarrierOptions {
  /** The default time limit of each `wait()`, in whole milliseconds. Default: no limit. */
  readonly timeout?: number
}

/**
 * A barrier across threads. Each call of `wait()` waits until there are as many calls as the barrier has parties. Then
 * all go on, and the next call begins a new round. If the timeout of a call passes, or its thread ends, the barrier is
 * broken: all calls that wait, and all later ones, throw `BrokenBarrierError`, until a call of `reset()`.
 *
 * Python's `action` is left out, because functions do not cross to other threads. Let the call that gets 0 do it, and
 * call `wait()` a second time where the others need its result.
 *
 * @example
 * ```ts
 * import { Barrier } from 'millrace/multiprocessing'
 *
 * const barrier = new Barrier(3)
 * const places = await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()])
 * console.log(places)
 * // → [ 0, 1, 2 ]
 * ```
 */
export class Barrier extends Shared {
  readonly #queue: WaitQueue
  readonly #watch: CellWatch

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
    this.#queue = new WaitQueue(this.memory, HEADER + CELLS, this.parts)
    this.#watch = new CellWatch(this.memory, STATE)
  }

  /** How many calls go on together. */
  get parties(): number {
    return Atomics.load(this.memory, PARTIES)
  }

  /** How many calls wait at the moment. */
  get waiting(): number {
    const state = this.#state
    return isOver(state) ? 0 : countOf(state)
  }

  /** Whether it is broken, at the moment. */
  get broken(): boolean {
    return isBroken(this.#state)
  }

  /**
   * Waits until all parties have come. While it waits it keeps the program alive.
   *
   * @param options How long to wait at most, in milliseconds, by default as long as the barrier says; or that and a
   * signal, which breaks the barrier as the end of the time does: see `WaitOptions`.
   * @returns The arrival index, from 0. Each call gets a different number.
   * @throws {BrokenBarrierError} If the barrier is broken, or becomes so, or is reset; or time is over, which breaks
   * it.
   * @throws {RangeError | TypeError} If an option is invalid.
   */
  async wait(options?: number | WaitOptions): Promise<number> {
    return settle(this.#waiting(readLimits(WAIT, options, this.#timeout)))
  }

  /**
   * The same, but it blocks the thread: for workers. Not for a thread whose own workers are parties and may be
   * terminated, unless it has a timeout: the barrier is broken when the thread hears of that, which it does by its
   * event loop.
   *
   * @throws {SyncError} On the main thread.
   */
  waitSync(options?: number | SyncWaitOptions): number {
    const limits = readSyncLimits(WAIT, options, 'wait()', this.#timeout)
    checkMayBlock('wait at a barrier synchronously', 'wait()')
    return block(this.#waiting(limits))
  }

  /**
   * Makes the barrier as new: calls that wait throw `BrokenBarrierError`, later ones do not, also if they come at once.
   */
  reset(): void {
    for (;;) {
      const state = this.#state
      if (isSentAway(state)) this.#sendAway(state)
      else if (!isOver(state) && countOf(state) === 0) return
      else if (this.#replace(state, sentAway(state))) {
        this.#sendAway(sentAway(state))
        return
      }
    }
  }

  /** Breaks the barrier. */
  abort(): void {
    for (let state = this.#state; !isBroken(state); state = this.#state) {
      if (isSentAway(state)) this.#sendAway(state)
      else this.#break(ticketOf(state))
    }
  }

  /** @internal */
  releaseThreads(threads: ReadonlySet<number>): void {
    for (const place of this.#queue.of(threads)) {
      if (this.#queue.stateOf(place) === WAITING) this.#break(place.ticket)
      this.#queue.remove(place, threads)
    }
    this.#sendAway(this.#state)
    Atomics.notify(this.memory, STATE)
  }

  *#waiting(limits: Limits): Steps<number> {
    const { place, number } = this.#come()
    try {
      for (let state = this.#await(place); state !== undefined; state = this.#await(place)) {
        if (!(yield this.#watch.wait(state, limits))) this.#break(place.ticket)
      }
    } catch (reason) {
      this.#break(place.ticket)
      // All may have come at the same time.
      if (this.#leave(place)) return number
      throw reason
    }
    return this.#go(place, number)
  }

  /** Counts a call, with a place in the queue. */
  #come(): { place: Place; number: number } {
    for (;;) {
      const state = this.#state
      if (isBroken(state)) throw brokenError('it is broken: call reset() to use it again')
      if (isSentAway(state)) {
        this.#sendAway(state)
        continue
      }
      const place = this.#queue.join(ticketOf(state))
      const number = countOf(state)
      const last = number + 1 === this.parties
      if (this.#replace(state, last ? nextRound(state) : state + ONE)) {
        if (last) Atomics.notify(this.memory, STATE)
        return { place, number }
      }
      this.#queue.leave(place)
    }
  }

  /** The state that a call waits to see changed; `undefined` if it does not wait any more. */
  #await(place: Place): number | undefined {
    const state = this.#state
    return isOver(state) || ticketOf(state) !== place.ticket ? undefined : state
  }

  #go(place: Place, number: number): number {
    const wasBroken = isBroken(this.#state)
    if (this.#leave(place)) return number
    throw brokenError(
      wasBroken ? 'it is broken: call reset() to use it again' : 'it was reset, or broken, while the call waited',
    )
  }

  /** Whether the call is through. */
  #leave(place: Place): boolean {
    const state = this.#state
    const isThrough = ticketOf(state) !== place.ticket && this.#queue.stateOf(place) === WAITING
    this.#queue.leave(place)
    return isThrough
  }

  /** Breaks a round, if it is on. */
  #break(ticket: number): void {
    for (;;) {
      const state = this.#state
      if (ticketOf(state) !== ticket || isOver(state)) return
      if (!this.#replace(state, broken(state))) continue
      Atomics.notify(this.memory, STATE)
      return
    }
  }

  /** Ends what `reset()` of any thread has begun. */
  #sendAway(state: number): void {
    if (!isSentAway(state)) return
    for (const place of this.#queue.all()) {
      if (place.ticket === ticketOf(state)) this.#queue.move(place, WAITING, GRANTED)
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

function brokenError(reason: string): BrokenBarrierError {
  return pointAtCaller(new BrokenBarrierError(`Cannot wait at a barrier as ${reason}`))
}

function createBarrierMemory(parties: unknown, options: BarrierOptions): Memory {
  checkInteger('make a barrier', 'parties', parties, 1, MAX_PARTIES)
  const timeout = new OptionReader<BarrierOptions>('make a barrier', options, ['timeout']).milliseconds('timeout')
  const memory = createMemoryWithQueue(KIND, CELLS)
  memory[PARTIES] = parties as number
  memory[TIMEOUT] = timeout === undefined || timeout === Infinity ? -1 : timeout
  return memory
}

defineShared(KIND, (memory, parts) => new Barrier(memory, parts))
