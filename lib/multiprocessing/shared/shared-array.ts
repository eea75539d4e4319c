/** Numbers in shared memory, by index. */
import { inspect, type InspectOptions } from 'node:util'
import { rangeError, received, typeError } from '../../errors.js'
import { showText } from '../../inspect.js'
import { isMemory, type Memory } from '../../shared/memory.js'
import { defineShared, Shared } from '../shared-object.js'
import { MAX_LENGTH, Numbers, numbersMemory } from './numbers.js'
import { lockIn, lockParts, type LockOptions } from './own-lock.js'
import type { Lock } from '../sync/lock.js'
import type { RLock } from '../sync/rlock.js'
import {
  numberOfType,
  type IfInteger,
  type NameOf,
  type NumberOf,
  type NumberType,
  type TypedArrayOf,
} from './typecodes.js'

const KIND = 17

/**
 * An array of numbers that threads share. In items, results and `initargs`, also nested, it arrives as the same array,
 * not as a copy. Its length is fixed.
 *
 * `array[i]` reads and sets plainly, through a `Proxy` each time. For loops over many numbers use `typed`, the typed
 * array itself. It is as fast as any typed array, and checks nothing: a number that does not fit wraps or is cut.
 *
 * Plain reads and writes do not order threads: Two threads that run `array[i]++` at once can lose one of the two
 * changes. The atomic operations of integers do not need a lock. A result that is out of range wraps around, as in
 * hardware. They give the number that was there before.
 *
 * @param type The type of the numbers, by name (`'int32'`) or by Python's typecode (`'i'`): see `NumberType`.
 * @param sizeOrValues The count of numbers, all 0: from 0 to 2,147,483,647, if there is enough memory. Or the numbers
 * themselves, which are copied.
 * @param options `lock`: whether it has a lock (default: true), or the lock itself. A lock costs more memory than a
 * number: if you make very many, `lock: false` saves most of it. Node compares all shared memory of a message with each
 * other: send very many in several messages.
 * @throws {RangeError} If the type is unknown; if a number, now or later, does not fit the type; or if you set a
 * missing index. Reading such an index gives `undefined`.
 * @throws {TypeError} If a value is not a number, or a `number` where the type takes a `bigint`.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, task } from 'millrace'
 * import { SharedArray } from 'millrace/multiprocessing'
 *
 * type Part = { squares: SharedArray<'float64'>; start: number; end: number }
 * const fill = task(import.meta.url, 'fill', ({ squares, start, end }: Part) => {
 *   const numbers = squares.typed // the fast way
 *   for (let i = start; i < end; i++) numbers[i] = i * i
 * })
 *
 * if (isMainThread) {
 *   const squares = new SharedArray('float64', 1000)
 *   const parts = [0, 250, 500, 750].map((start) => ({ squares, start, end: start + 250 }))
 *   for await (const _ of imap(fill, parts));
 *   console.log(squares[999], squares.slice(-2))
 *   // → 998001 [ 996004, 998001 ]
 * }
 * ```
 */
export class SharedArray<T extends NumberType> extends Shared implements Iterable<NumberOf<T>> {
  /** For the compiler alone: it makes a typecode and its plain name one type. */
  declare protected readonly ofType?: Partial<Record<NameOf<T>, never>>
  readonly #numbers: Numbers;
  /** A number, read and written plainly: see above. */
  [index: number]: NumberOf<T>

  static {
    type Maker = new (memory: Memory, parts: readonly Shared[]) => SharedArray<NumberType>
    // This constructor is not public, so it is not declared.
    defineShared(KIND, (memory, parts) => new (this as unknown as Maker)(memory, parts))
    showText(this.prototype as SharedArray<NumberType>, (array, options) => array.#show(options))
    // It is asked for every name that is neither a field nor a method. The array itself is not a `Proxy`: a `Proxy`
    // cannot be cloned.
    Object.setPrototypeOf(
      this.prototype,
      new Proxy(Object.create(Shared.prototype) as object, {
        get(target, key, receiver) {
          if (!isIndex(key) || !(#numbers in receiver)) return Reflect.get(target, key, receiver) as unknown
          return receiver.#numbers.cells[Number(key)]
        },
        set(target, key, value, receiver) {
          if (!isIndex(key) || !(#numbers in receiver)) return Reflect.set(target, key, value, receiver)
          const { cells } = receiver.#numbers
          cells[receiver.#numbers.checkIndex(Number(key))] = receiver.#numbers.check(value)
          return true
        },
      }),
    )
  }

  constructor(type: T, sizeOrValues: number | Iterable<NumberOf<T>> | ArrayLike<NumberOf<T>>, options?: LockOptions)
  // Or from its memory and parts, on another thread.
  constructor(first: T | Memory, second: unknown, options?: LockOptions) {
    if (isMemory(first)) {
      super(first, second as readonly Shared[])
      this.#numbers = new Numbers(first, 'SharedArray')
    } else {
      const type = numberOfType('SharedArray', first)
      const values = typeof second === 'number' ? undefined : listOf(second, 'make a SharedArray')
      const memory = numbersMemory(KIND, 'SharedArray', type, values?.length ?? checkedSize(second as number))
      super(memory, lockParts('SharedArray', options))
      this.#numbers = new Numbers(memory, 'SharedArray')
      if (values !== undefined) this.#write(values, 0)
    }
    // A misspelt field would be lost on the next thread.
    Object.freeze(this)
  }

  /** The plain name of its type, such as `'int32'`. */
  get type(): NameOf<T> {
    return this.#numbers.type.name as NameOf<T>
  }

  /** The count of its numbers. */
  get length(): number {
    return this.#numbers.cells.length
  }

  /** The typed array itself, on the shared memory: the fastest way, without checks. Each call gives the same one. */
  get typed(): TypedArrayOf<T> {
    return this.#numbers.cells as Int32Array as TypedArrayOf<T>
  }

  /** The number at an index, counted from the end if negative; `undefined` if there is none. */
  at(index: number): NumberOf<T> | undefined {
    const { cells } = this.#numbers
    return cells[index < 0 ? cells.length + index : index] as NumberOf<T> | undefined
  }

  /**
   * A copy of the numbers from `start` up to `end`, as a plain array; negative positions count from the end. Default:
   * all.
   */
  slice(start?: number, end?: number): NumberOf<T>[] {
    return Array.from(this.#numbers.cells.subarray(start, end)) as NumberOf<T>[]
  }

  /**
   * Copies numbers into the array, from index `offset` (default: 0) on. All are checked before the first is written.
   *
   * @throws {RangeError} If they do not fit there.
   */
  set(values: Iterable<NumberOf<T>> | ArrayLike<NumberOf<T>>, offset = 0): void {
    this.#write(listOf(values, 'set elements of a SharedArray'), offset)
  }

  /** Sets all numbers from `start` up to `end` to one number; negative positions count from the end. Default: all. */
  fill(value: NumberOf<T>, start?: number, end?: number): this {
    this.#numbers.cells.fill(this.#numbers.check(value), start, end)
    return this
  }

  /** The numbers one by one, each with its value at that moment. */
  [Symbol.iterator](): IterableIterator<NumberOf<T>> {
    return this.#numbers.cells.values() as IterableIterator<unknown> as IterableIterator<NumberOf<T>>
  }

  /** Reads an element. This thread then sees everything that other threads did before they set it atomically. */
  atomicLoad(this: IfInteger<T, this>, index: number): NumberOf<T> {
    return this.#numbers.load(this.#numbers.checkIndex(index)) as NumberOf<T>
  }

  /** Adds to an element. @returns The number that was there before. */
  atomicAdd(this: IfInteger<T, this>, index: number, n: NumberOf<T>): NumberOf<T> {
    return this.#numbers.change(Atomics.add, this.#numbers.checkIndex(index), n) as NumberOf<T>
  }

  /** Subtracts from an element. @returns The number that was there before. */
  atomicSub(this: IfInteger<T, this>, index: number, n: NumberOf<T>): NumberOf<T> {
    return this.#numbers.change(Atomics.sub, this.#numbers.checkIndex(index), n) as NumberOf<T>
  }

  /** Bitwise and. @returns The number that was there before. */
  atomicAnd(this: IfInteger<T, this>, index: number, n: NumberOf<T>): NumberOf<T> {
    return this.#numbers.change(Atomics.and, this.#numbers.checkIndex(index), n) as NumberOf<T>
  }

  /** Bitwise or. @returns The number that was there before. */
  atomicOr(this: IfInteger<T, this>, index: number, n: NumberOf<T>): NumberOf<T> {
    return this.#numbers.change(Atomics.or, this.#numbers.checkIndex(index), n) as NumberOf<T>
  }

  /** Bitwise exclusive or. @returns The number that was there before. */
  atomicXor(this: IfInteger<T, this>, index: number, n: NumberOf<T>): NumberOf<T> {
    return this.#numbers.change(Atomics.xor, this.#numbers.checkIndex(index), n) as NumberOf<T>
  }

  /**
   * Sets an element. Threads that load it then see everything that this thread did before. @returns The number that was
   * there before.
   */
  atomicStore(this: IfInteger<T, this>, index: number, n: NumberOf<T>): NumberOf<T> {
    return this.#numbers.change(Atomics.exchange, this.#numbers.checkIndex(index), n) as NumberOf<T>
  }

  /** Sets an element. @returns The number that was there before. */
  atomicExchange(this: IfInteger<T, this>, index: number, n: NumberOf<T>): NumberOf<T> {
    return this.#numbers.change(Atomics.exchange, this.#numbers.checkIndex(index), n) as NumberOf<T>
  }

  /** Sets an element if it is `expected`. @returns The number that was there before: `expected` if it was set. */
  atomicCompareExchange(
    this: IfInteger<T, this>,
    index: number,
    expected: NumberOf<T>,
    replacement: NumberOf<T>,
  ): NumberOf<T> {
    return this.#numbers.compareExchange(this.#numbers.checkIndex(index), expected, replacement) as NumberOf<T>
  }

  /**
   * The lock that it was made with. No other method uses it: hold it while you read and write several times, as in
   * `array[0]++`.
   *
   * @throws {TypeError} If it was made with `lock: false`.
   */
  getLock(): Lock | RLock {
    return lockIn('SharedArray', this.parts)
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
    // As Node shows a typed array, but with another name.
    return inspect(this.typed, options).replace(/^\w+/, `SharedArray<'${this.type}'>`)
  }

  #write(values: List, offset: number): void {
    const { cells } = this.#numbers
    const room = cells.length - offset
    if (!Number.isInteger(offset) || offset < 0 || room < values.length) {
      const text = `Cannot set elements of a SharedArray of ${cells.length} as they must fit into it: received ${values.length} from index ${received(offset)} on`
      throw rangeError('ERR_INVALID_VALUE', text)
    }
    for (const value of values) this.#numbers.check(value)
    cells.set(values as ArrayLike<number>, offset)
  }
}

/** Whether a key is written as a number: '0', but also '-1' and '1.5', which are not names of fields either. */
function isIndex(key: string | symbol): boolean {
  return typeof key === 'string' && String(Number(key)) === key
}

type List = ArrayLike<unknown> & Iterable<unknown>

/** The values in a form that can be iterated twice. */
function listOf(values: unknown, action: string): List {
  if (typeof values === 'object' && values !== null) {
    // A view with a length is a typed array, which the compiler does not know.
    if (Array.isArray(values) || (ArrayBuffer.isView(values) && 'length' in values)) return values as unknown as List
    if (Symbol.iterator in values || 'length' in values) return Array.from(values as ArrayLike<unknown>)
  }
  const expected = action.startsWith('make') ? 'a size, or the numbers in an array' : 'numbers in an array'
  throw typeError('ERR_INVALID_VALUE', `Cannot ${action} as it takes ${expected}: received ${received(values)}`)
}

function checkedSize(size: number): number {
  if (Number.isInteger(size) && size >= 0 && size <= MAX_LENGTH) return size
  const text = `Cannot make a SharedArray as its size must be an integer from 0 to ${MAX_LENGTH}: received ${received(size)}`
  throw rangeError('ERR_INVALID_VALUE', text)
}
