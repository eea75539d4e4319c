/** Numbers of one type in shared memory: the common part of `Value` and `SharedArray`. */
import { rangeError, received, typeError } from '../../errors.js'
import { createMemory, HEADER, type Memory } from '../../shared/memory.js'
import { check, TYPES, type Type } from './typecodes.js'

/** Cells: the number of the type, and the count of the numbers. The numbers come after them, aligned to 8 bytes. */
const TYPE = HEADER
const LENGTH = HEADER + 1
const FIRST = HEADER + 2

/** The most numbers in one piece of memory. */
export const MAX_LENGTH: number = 2 ** 31 - 1

/** Memory for `length` numbers, all 0. */
export function numbersMemory(kind: number, what: 'Value' | 'SharedArray', type: number, length: number): Memory {
  const bytes = length * (TYPES[type]?.size ?? 0)
  try {
    const memory = createMemory(kind, FIRST - HEADER + Math.ceil(bytes / Int32Array.BYTES_PER_ELEMENT))
    memory[TYPE] = type
    memory[LENGTH] = length
    return memory
  } catch {
    throw rangeError('ERR_INVALID_VALUE', `Cannot make a ${what} as there is not enough memory: received ${length}`)
  }
}

/** One of the operations of `Atomics` on a cell of any type. */
type Operation = (cells: Int32Array, index: number, value: number) => number

/**
 * The cells are typed as `Int32Array` and `number`, even if they have another type. The class that uses them gives the
 * numbers their real type. `check()` checks the numbers that are written.
 */
export class Numbers {
  readonly cells: Int32Array<SharedArrayBuffer>
  readonly type: Type
  readonly #what: string

  constructor(memory: Memory, what: 'Value' | 'SharedArray') {
    const type = TYPES[memory[TYPE] ?? -1]
    if (type === undefined) throw new Error(`This copy of the library knows no type ${memory[TYPE]} of numbers`)
    this.type = type
    this.cells = new type.Typed(
      memory.buffer,
      FIRST * memory.BYTES_PER_ELEMENT,
      memory[LENGTH] ?? 0,
    ) as Int32Array<SharedArrayBuffer>
    this.#what = what
  }

  check(value: unknown): number {
    check(this.type, value, this.#what === 'Value' ? 'set a Value' : 'set an element of a SharedArray')
    return value as number
  }

  checkIndex(index: unknown): number {
    const { length } = this.cells
    if (Number.isInteger(index) && (index as number) >= 0 && (index as number) < length) return index as number
    const expected = length === 0 ? 'it is empty' : `its indexes are integers from 0 to ${length - 1}`
    const text = `Cannot use this index of a ${this.#what} as ${expected}: received ${received(index)}`
    throw (typeof index === 'number' ? rangeError : typeError)('ERR_INVALID_VALUE', text)
  }

  /** An atomic operation with one operand. @returns The number that was there before. */
  change(operation: Operation, index: number, value: unknown): number {
    this.#refuseFloats()
    return operation(this.cells, index, this.check(value))
  }

  load(index: number): number {
    this.#refuseFloats()
    return Atomics.load(this.cells, index)
  }

  compareExchange(index: number, expected: unknown, replacement: unknown): number {
    this.#refuseFloats()
    return Atomics.compareExchange(this.cells, index, this.check(expected), this.check(replacement))
  }

  #refuseFloats(): void {
    const { name } = this.type
    if (!name.startsWith('float')) return
    const text = `Cannot change a ${this.#what} atomically as it must hold integers: received one of type '${name}'; hold its lock instead`
    throw typeError('ERR_INVALID_VALUE', text)
  }
}
