/** One number in shared memory. */
import { inspect, type InspectOptions } from 'node:util'
import { showText } from '../../inspect.js'
import { isMemory, type Memory } from '../../shared/memory.js'
import { defineShared, Shared } from '../shared-object.js'
import { Numbers, numbersMemory } from './numbers.js'
import { lockIn, lockParts, type LockOptions } from './own-lock.js'
import type { Lock } from '../sync/lock.js'
import type { RLock } from '../sync/rlock.js'
import { numberOfType, type IfInteger, type NameOf, type NumberOf, type NumberType } from './typecodes.js'

const KIND = 16

/**
 * A number that threads share. In items, results and `initargs`, also nested, it arrives as the same number, not as a
 * copy.
 *
 * Reading and setting `value` is plain. Two threads that run `value.value++` at once can lose one of the two changes. A
 * thread is sure to see a change of another one only after something that orders both, such as its lock (`getLock()`)
 * or a result. The atomic operations of integers do not need a lock. A result that is out of range wraps around, as in
 * hardware. They give the number that was there before.
 *
 * @param type The type of the number, by name (`'int32'`) or by Python's typecode (`'i'`): see `NumberType`.
 * @param initial The first number. Default: 0.
 * @param options `lock`: whether it has a lock (default: true), or the lock itself. A lock costs more memory than a
 * number: if you make very many, `lock: false` saves most of it. Node compares all shared memory of a message with each
 * other: send very many in several messages.
 * @throws {RangeError} If the type is unknown; or if a number, now or later, does not fit the type. It is not wrapped
 * or cut.
 * @throws {TypeError} If a value is not a number, or a `number` where the type takes a `bigint`.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, task } from 'millrace'
 * import { Value } from 'millrace/multiprocessing'
 *
 * const count = task(import.meta.url, 'count', ({ word, seen }: { word: string; seen: Value<'int32'> }) => {
 *   if (word === 'and') seen.atomicAdd(1)
 * })
 *
 * if (isMainThread) {
 *   const seen = new Value('int32')
 *   const words = 'here and there and everywhere'.split(' ')
 *   for await (const _ of imap(count, words.map((word) => ({ word, seen }))));
 *   console.log(seen)
 *   // → Value<'int32'>(2)
 *   await seen.getLock().withLock(() => (seen.value *= 2))
 *   console.log(seen.value)
 *   // → 4
 * }
 * ```
 */
export class Value<T extends NumberType> extends Shared {
  /** For the compiler alone: it makes a typecode and its plain name one type. */
  declare protected readonly ofType?: Partial<Record<NameOf<T>, never>>
  readonly #numbers: Numbers

  static {
    type Maker = new (memory: Memory, parts: readonly Shared[]) => Value<NumberType>
    // This constructor is not public, so it is not declared.
    defineShared(KIND, (memory, parts) => new (this as unknown as Maker)(memory, parts))
    showText(this.prototype as Value<NumberType>, (value, options) => value.#show(options))
  }

  constructor(type: T, initial?: NumberOf<T>, options?: LockOptions)
  // Or from its memory and parts, on another thread.
  constructor(first: T | Memory, second?: unknown, options?: LockOptions) {
    if (isMemory(first)) {
      super(first, second as readonly Shared[])
      this.#numbers = new Numbers(first, 'Value')
    } else {
      const memory = numbersMemory(KIND, 'Value', numberOfType('Value', first), 1)
      super(memory, lockParts('Value', options))
      this.#numbers = new Numbers(memory, 'Value')
      if (second !== undefined) this.value = second as NumberOf<T>
    }
    // A misspelt field would be lost on the next thread.
    Object.freeze(this)
  }

  /** The plain name of its type, such as `'int32'`. */
  get type(): NameOf<T> {
    return this.#numbers.type.name as NameOf<T>
  }

  /** The number. Reading and setting it is plain: see above. */
  get value(): NumberOf<T> {
    return this.#numbers.cells[0] as NumberOf<T>
  }

  set value(value: NumberOf<T>) {
    const { cells } = this.#numbers
    cells[0] = this.#numbers.check(value)
  }

  /** Reads the number. This thread then sees everything that other threads did before they set it atomically. */
  atomicLoad(this: IfInteger<T, this>): NumberOf<T> {
    return this.#numbers.load(0) as NumberOf<T>
  }

  /** Adds to the number. @returns The number that was there before. */
  atomicAdd(this: IfInteger<T, this>, n: NumberOf<T>): NumberOf<T> {
    return this.#numbers.change(Atomics.add, 0, n) as NumberOf<T>
  }

  /** Subtracts from the number. @returns The number that was there before. */
  atomicSub(this: IfInteger<T, this>, n: NumberOf<T>): NumberOf<T> {
    return this.#numbers.change(Atomics.sub, 0, n) as NumberOf<T>
  }

  /** Bitwise and. @returns The number that was there before. */
  atomicAnd(this: IfInteger<T, this>, n: NumberOf<T>): NumberOf<T> {
    return this.#numbers.change(Atomics.and, 0, n) as NumberOf<T>
  }

  /** Bitwise or. @returns The number that was there before. */
  atomicOr(this: IfInteger<T, this>, n: NumberOf<T>): NumberOf<T> {
    return this.#numbers.change(Atomics.or, 0, n) as NumberOf<T>
  }

  /** Bitwise exclusive or. @returns The number that was there before. */
  atomicXor(this: IfInteger<T, this>, n: NumberOf<T>): NumberOf<T> {
    return this.#numbers.change(Atomics.xor, 0, n) as NumberOf<T>
  }

  /**
   * Sets the number. Threads that load it then see everything that this thread did before. @returns The number that was
   * there before.
   */
  atomicStore(this: IfInteger<T, this>, n: NumberOf<T>): NumberOf<T> {
    return this.#numbers.change(Atomics.exchange, 0, n) as NumberOf<T>
  }

  /** Sets the number. @returns The number that was there before. */
  atomicExchange(this: IfInteger<T, this>, n: NumberOf<T>): NumberOf<T> {
    return this.#numbers.change(Atomics.exchange, 0, n) as NumberOf<T>
  }

  /** Sets the number if it is `expected`. @returns The number that was there before: `expected` if it was set. */
  atomicCompareExchange(this: IfInteger<T, this>, expected: NumberOf<T>, replacement: NumberOf<T>): NumberOf<T> {
    return this.#numbers.compareExchange(0, expected, replacement) as NumberOf<T>
  }

  /**
   * The lock that it was made with. No other method uses it: hold it while you read and write several times, as in
   * `value.value++`.
   *
   * @throws {TypeError} If it was made with `lock: false`.
   */
  getLock(): Lock | RLock {
    return lockIn('Value', this.parts)
  }

  /** Only its lock can be held. @internal */
  override get lockables(): readonly Shared[] {
    return this.parts ?? []
  }

  /** @internal */
  releaseThreads(): void {
    // A thread cannot hold or wait for anything here.
  }

  #show(options: InspectOptions): string {
    return `Value<'${this.type}'>(${inspect(this.value, options)})`
  }
}
