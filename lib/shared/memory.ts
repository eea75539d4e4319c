/**
 * The memory of an object that threads share: a header, by which every thread recognises it, and the cells of the
 * object. Their meaning is a matter of its class.
 */
import { types } from 'node:util'
import { threadId } from 'node:worker_threads'
import { bytesOf, createGrowable } from './growable.js'
import { nextNumber } from './registry.js'

export type Memory = Int32Array<SharedArrayBuffer>

/** The number of cells in front: mark, class (with the threads that know it), maker, and number. */
export const HEADER = 4
/** The cell whose lower bits are the number of the class. The upper bits say which threads know the object. */
export const KIND = 1
const MARK = 0x6d_69_6c_6c
const [MARKED, MAKER, NUMBER] = [0, 2, 3] as const
const KIND_BITS = 0xff

/**
 * Memory for a new object.
 *
 * @param kind The number of its class: see `defineKind()`.
 * @param cells How many cells of 32 bits it has after the header. If `maxCells` is more, it can grow to that many.
 */
export function createMemory(kind: number, cells: number, maxCells: number = cells): Memory {
  const [size, maxSize] = [HEADER + cells, HEADER + maxCells]
  const buffer = maxSize > size ? createGrowable(size, maxSize) : new SharedArrayBuffer(bytesOf(size))
  const memory = new Int32Array(buffer)
  memory[MARKED] = MARK
  memory[KIND] = kind
  memory[MAKER] = threadId
  memory[NUMBER] = nextNumber()
  return memory
}

/** Whether that is memory of an object, rather than what a caller has passed to a constructor. */
export function isMemory(value: unknown): value is Memory {
  // Of any realm: a test runner may have another one than what workers post.
  return types.isInt32Array(value) && types.isSharedArrayBuffer(value.buffer) && value[MARKED] === MARK
}

export function kindOf(memory: Memory): number {
  return (memory[KIND] ?? 0) & KIND_BITS
}

export function numberOf(memory: Memory): number {
  return memory[NUMBER] ?? 0
}

/** An id that is unique in the program. */
export function idOf(memory: Memory): string {
  return `${memory[MAKER]}.${memory[NUMBER]}`
}
