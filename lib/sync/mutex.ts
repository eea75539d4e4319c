/** What `Lock` and `RLock` have in common: all but what a holder's second call does. */
import { threadId } from 'node:worker_threads'
import { SyncError } from '../errors.js'
import { HEADER, Shared, type Memory } from '../shared/shared.js'
import { Hold, type Holding } from './hold.js'
import { createMemoryWithLine, TAKEN, type Place } from './line.js'
import { Ownership } from './ownership.js'
import { checkFunction, checkMayBlock, checkTimeout } from './waiting.js'

const OWNER = HEADER
/** How often a re-entrant lock is held; only its holder reads and writes it. */
const DEPTH = HEADER + 1
const CELLS = 2

/** What a condition keeps of a lock that it has released for its caller. */
export interface LetGo {
  readonly depth: number
  readonly holding: Holding | undefined
}

export abstract class Mutex extends Shared {
  readonly #ownership: Ownership
  readonly #isReentrant: boolean
  #holding: Holding | undefined

  /** `isReentrant`: whether the thread that holds it can take it again at once. */
  protected constructor(memory: Memory, parts: readonly Shared[], isReentrant: boolean) {
    super(memory, parts)
    this.#isReentrant = isReentrant
    this.#ownership = new Ownership(this, OWNER, HEADER + CELLS)
  }

  /** Whether anybody holds it: a look at the moment, which the next may change. */
  get locked(): boolean {
    return this.#ownership.ticket !== 0
  }

  /**
   * Takes the lock, in the order of the calls, on whatever thread they are. While it waits it keeps the program alive.
   *
   * @param timeout How long to wait at most, in milliseconds, from 0, which tries once; without one it waits for ever.
   * @returns What is to be released, by itself (`using`), by its `release()` or by the lock's; `undefined` if time was over.
   * @throws {RangeError} If `timeout` is negative or `NaN`.
   */
  acquire(): Promise<Hold>
  acquire(timeout: number): Promise<Hold | undefined>
  async acquire(timeout = Infinity): Promise<Hold | undefined> {
    checkTimeout('acquire a lock', timeout)
    if (this.#isAgain) return this.#again()
    const place = this.#ownership.join()
    if (await this.#ownership.line.wait(place, timeout)) return this.#take(place)
    this.#ownership.passOn()
    return undefined
  }

  /**
   * The same, holding the thread: for workers. Not for a thread whose own workers may be terminated, or run out of heap, while they hold
   * the lock: it hears of that by its event loop, and until then the lock is not free. `await acquire()` there, or give a timeout.
   *
   * @throws {SyncError} On the main thread; and, without a timeout, on a thread that has the lock itself, or calls of its own
   * in line before: it would wait for ever.
   */
  acquireSync(): Hold
  acquireSync(timeout: number): Hold | undefined
  acquireSync(timeout = Infinity): Hold | undefined {
    checkTimeout('acquire a lock', timeout)
    checkMayBlock('acquire a lock synchronously', 'acquire()')
    if (this.#isAgain) return this.#again()
    if (timeout === Infinity) this.#checkNotBlockedByItself(0)
    const place = this.#ownership.join()
    if (this.#ownership.line.waitSync(place, timeout)) return this.#take(place)
    this.#ownership.passOn()
    return undefined
  }

  /**
   * Gives the lock to the call that has waited longest.
   *
   * @throws {SyncError} If this thread does not hold it.
   */
  release(): void {
    this.checkHeld('release a lock')
    const depth = Atomics.load(this.memory, DEPTH)
    if (depth > 1) Atomics.store(this.memory, DEPTH, depth - 1)
    else this.#free()
  }

  /**
   * Runs a function with the lock held, and releases it whatever the function does.
   *
   * @returns What the function returns.
   */
  async withLock<T>(run: (hold: Hold) => T | PromiseLike<T>): Promise<T> {
    checkFunction(run)
    const hold = await this.acquire()
    try {
      return await run(hold)
    } finally {
      hold.release()
    }
  }

  /** @internal */
  bury(threads: ReadonlySet<number>): void {
    this.#ownership.bury(threads)
  }

  /** Throws unless this thread holds it. @internal */
  checkHeld(action: string): void {
    if (this.#ownership.isHere) return
    const { holder, line } = this.#ownership
    const thread = holder === undefined ? -1 : line.threadOf(holder)
    const reason =
      thread < 0 || thread === threadId
        ? 'nobody holds it: acquire() it first'
        : `thread ${thread}, not this one (${threadId}), holds it: leave that to the thread that has acquired it`
    throw new SyncError(`Cannot ${action} as ${reason}`, 'ERR_NOT_OWNER')
  }

  /** Whether one of these threads holds it, and knew. @internal */
  isHeldBy(threads: ReadonlySet<number>): boolean {
    const { holder, line } = this.#ownership
    return holder !== undefined && line.stateOf(holder) === TAKEN && threads.has(line.threadOf(holder))
  }

  /** Releases it wholly, for a condition that waits. @internal */
  letGo(): LetGo {
    const depth = Atomics.load(this.memory, DEPTH)
    const holding = this.#holding
    this.#free()
    return { depth, holding }
  }

  /** Takes it as it was let go. @internal */
  async takeBack(state: LetGo): Promise<void> {
    const place = this.#ownership.join()
    await this.#ownership.line.wait(place, Infinity)
    this.#restore(place, state)
  }

  /** The same, holding the thread. @internal */
  takeBackSync(state: LetGo): void {
    const place = this.#ownership.join()
    this.#ownership.line.waitSync(place, Infinity)
    this.#restore(place, state)
  }

  /** Throws if nobody could take it back here while the thread, which holds it now, is held. @internal */
  checkTakenBack(): void {
    this.#checkNotBlockedByItself(this.#ownership.ticket)
  }

  #checkNotBlockedByItself(except: number): void {
    if (!this.#ownership.line.hasOwn(except)) return
    throw new SyncError(
      'Cannot wait for a lock synchronously as calls of this thread have it or are in line before: await instead',
      'ERR_DEADLOCK',
    )
  }

  #restore(place: Place, { depth, holding }: LetGo): void {
    const abandoned = this.#ownership.take(place)
    Atomics.store(this.memory, DEPTH, depth)
    this.#holding = holding
    if (holding === undefined) return
    holding.ticket = place.ticket
    holding.abandoned ||= abandoned
  }

  get #isAgain(): boolean {
    return this.#isReentrant && this.#ownership.isHere
  }

  #again(): Hold {
    Atomics.add(this.memory, DEPTH, 1)
    return this.#hold((this.#holding ??= { ticket: this.#ownership.ticket, abandoned: false }))
  }

  #take(place: Place): Hold {
    Atomics.store(this.memory, DEPTH, 1)
    const abandoned = this.#ownership.take(place)
    return this.#hold((this.#holding = { ticket: place.ticket, abandoned }))
  }

  #hold(holding: Holding): Hold {
    return new Hold(holding, ({ ticket }) => {
      if (this.#ownership.ticket === ticket) this.release()
    })
  }

  #free(): void {
    this.#holding = undefined
    this.#ownership.free()
  }
}

/** Memory for a lock of that kind. */
export function createMutexMemory(kind: number): Memory {
  return createMemoryWithLine(kind, CELLS)
}
