/**
 * Items that fail some times before they succeed, on any thread. Each has a slot in shared memory that counts its
 * tries. An item is the number of its slot, or that number as a line. Import this module before the first worker
 * starts.
 */
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'

/** The action of a failing try. Only threads can continue after `exit` and `hang`. */
export const HOWS = ['throw', 'reject', 'return what cannot be cloned', 'never settle', 'exit', 'hang'] as const
export type How = (typeof HOWS)[number]

/** The fields of a slot: how often a task has begun with it, how often it fails, and how. */
const TRIES = 0
const FAILURES = 1
const HOW = 2
const SIZE = 3
const SLOTS = 1 << 18
const KEY = 'millrace.test.tries'

function sharedCells(): Int32Array {
  const existing = getEnvironmentData(KEY) as unknown
  if (existing instanceof Int32Array || !isMainThread) return existing as Int32Array
  const cells = new Int32Array(new SharedArrayBuffer((SLOTS * SIZE + 1) * Int32Array.BYTES_PER_ELEMENT))
  setEnvironmentData(KEY, cells)
  return cells
}

const cells = sharedCells()
/** The last cell counts the slots in use. */
const USED = SLOTS * SIZE

/** A run of items, for the test. */
export class Tries {
  readonly #first: number
  readonly #count: number

  /** One item for each number of failures. */
  constructor(failures: readonly number[], how: How | ((i: number) => How) = 'throw') {
    this.#count = failures.length
    this.#first = Atomics.add(cells, USED, failures.length)
    if (this.#first + failures.length > SLOTS) throw new Error('The tests have used up the slots: make SLOTS larger')
    failures.forEach((count, i) => {
      cells[this.#cell(i) + FAILURES] = count
      cells[this.#cell(i) + HOW] = HOWS.indexOf(typeof how === 'string' ? how : how(i))
    })
  }

  get items(): number[] {
    return Array.from({ length: this.#count }, (_, i) => this.#first + i)
  }

  /** How often each item has been tried. */
  get tries(): number[] {
    return Array.from({ length: this.#count }, (_, i) => cells[this.#cell(i) + TRIES] ?? 0)
  }

  /** The index of the item of a result. */
  index(result: unknown): number {
    return Number(result) - this.#first
  }

  indexes(results: readonly unknown[]): number[] {
    return results.map((result) => this.index(result))
  }

  #cell(i: number): number {
    return (this.#first + i) * SIZE
  }
}

/** Thrown by a try that fails. */
export class TryError extends Error {}

function tryError(item: number | string, tries: number): TryError {
  return Object.assign(new TryError(`try ${tries}`), { item: Number(item) })
}

/** Begins with an item, for the task. Returns it as a number, or fails. */
export function tryOnce(item: number | string): unknown {
  const cell = Number(item) * SIZE
  const tries = Atomics.add(cells, cell + TRIES, 1) + 1
  if (tries > Atomics.load(cells, cell + FAILURES)) return Number(item)
  switch (HOWS[Atomics.load(cells, cell + HOW)]) {
    case 'reject':
      return new Promise((_, reject) => {
        setImmediate(reject, tryError(item, tries))
      })
    case 'return what cannot be cloned':
      return () => item
    case 'never settle':
      return new Promise(() => undefined)
    case 'exit':
      process.exit(tries)
    case 'hang':
      for (;;);
    default:
      throw tryError(item, tries)
  }
}
