/**
 * A barrier: calls wait until enough of them have come.
 *
 * STATE is one word: the number of the round, and the count of its calls or the way it ended (`barrier-state.ts`). The
 * call that completes the round writes the next round. A call has passed when the round is not its own any more. A
 * round can also be broken, or its calls can be sent away. That one step ends the round: no call can come to it then.
 * - Breaking it needs only this step. It stays broken until `reset()`.
 * - Sending its calls away needs two more steps. Each thread that sees the word does them, and `releaseThreads()` does.
 *   First the remaining calls of the round leave the state WAITING, so they know the reason when they wake. Then the
 *   next round begins. A call that comes meanwhile does these steps first, so it comes to the next round. Each step
 *   names the round, so it can be done twice, and in part.
 *
 * A call takes a place in a queue before it is counted, with the round as its ticket. A thread that ends with a place
 * of the current round breaks it: its call will not come, or has come and cannot continue.
 */
import { pointAtCaller } from '../../call-site.js'
import { BrokenBarrierError } from '../errors.js'
import { OptionReader } from '../../options.js'
import { HEADER, isMemory, type Memory } from '../../shared/memory.js'
import { defineShared, Shared } from '../shared-object.js'
import { createMemoryWithQueue, WaitQueue, GRANTED, WAITING, type Place } from './wait-queue.js'
import { ownOverflow } from './overflow.js'
import { readBlockingLimits, readLimits, type Limits, type SyncWaitOptions, type WaitOptions } from './limits.js'
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
import { checkInteger } from './checks.js'
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
 * all continue, and the next call begins a new round. If the timeout of a call passes, or its thread ends, the barrier
 * is broken. All waiting and all later calls then throw `BrokenBarrierError`, until you call `reset()`.
 *
 * Python's `action` does not exist here, because functions cannot be sent to other threads. Let the call that gets 0 do
 * the action. If the others need its result, call `wait()` a second time.
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
   * @param parties The number of calls that continue together: an integer from 1 to 65,535.
   * @throws {RangeError} If `parties` or the timeout is out of range.
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

  /** The number of calls that continue together. */
  get parties(): number {
    return Atomics.load(this.memory, PARTIES)
  }

  /** The number of calls that wait now. */
  get waiting(): number {
    const state = this.#state
    return isOver(state) ? 0 : countOf(state)
  }

  /** Whether it is broken now. */
  get broken(): boolean {
    return isBroken(this.#state)
  }

  /**
   * Waits until all parties have come. While it waits it keeps the program alive.
   *
   * @param options The longest wait in milliseconds, or `{ timeout, signal }`: see `WaitOptions`. Default: the timeout
   * of the barrier. A signal that fires breaks the barrier, as the end of the time does.
   * @returns The arrival index, from 0. Each call gets a different number.
   * @throws {BrokenBarrierError} If the barrier is broken, before or during the wait; or if it is reset during the
   * wait. The end of the time breaks it.
   * @throws {RangeError | TypeError} If an option is invalid.
   */
  async wait(options?: number | WaitOptions): Promise<number> {
    return settle(this.#waiting(readLimits(WAIT, options, this.#timeout)))
  }

  /**
   * The same, but it blocks the thread: for workers. If workers of this thread are parties and can be terminated, give
   * a timeout. A blocked thread does not notice that they end, and so does not break the barrier.
   *
   * @throws {SyncError} On the main thread.
   */
  waitSync(options?: number | SyncWaitOptions): number {
    const limits = readBlockingLimits(WAIT, options, 'wait()', this.#timeout)
    return block(this.#waiting(limits))
  }

  /**
   * Makes the barrier new. Calls that wait throw `BrokenBarrierError`. Later calls do not, even if they come at once.
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
      // All calls may have come at the same time.
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

  /** The state whose change a call waits for; `undefined` if it no longer waits. */
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

  /** Whether the call has passed. */
  #leave(place: Place): boolean {
    const state = this.#state
    const isThrough = ticketOf(state) !== place.ticket && this.#queue.stateOf(place) === WAITING
    this.#queue.leave(place)
    return isThrough
  }

  /** Breaks a round if it is not over. */
  #break(ticket: number): void {
    for (;;) {
      const state = this.#state
      if (ticketOf(state) !== ticket || isOver(state)) return
      if (!this.#replace(state, broken(state))) continue
      Atomics.notify(this.memory, STATE)
      return
    }
  }

  /** Completes a `reset()` that any thread has begun. */
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
