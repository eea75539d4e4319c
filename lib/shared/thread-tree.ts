/**
 * Knows which thread has started which, of those that use this library. When a thread ends, so do those that it has
 * started. Only its parent hears of that.
 *
 * A table in shared memory, which every thread that is started later inherits. An entry is one word of 64 bits, a
 * thread and its parent, both plus one; 0 is a free entry. So each change is one step, and a thread may end between any
 * two:
 * - The parent enters a child. If it ends before, the child is not known; but it ends with its parent, whose objects
 *   are told then.
 * - When a thread ends, its parent tells the objects first, and then frees the entries of the subtree. If the parent
 *   ends between the two, its own parent does both again: the entries are still there. Only the main thread frees
 *   entries. Others mark them as ended: their parent may know other objects, and tells these when they end themselves.
 *   Of these entries the table keeps the latest, about 1,000.
 */
import { getEnvironmentData, isMainThread, setEnvironmentData, threadId } from 'node:worker_threads'
import { createGrowable, growTo } from './growable.js'

const MAX_ENTRIES = 1 << 16
const MIN_ENTRIES = 64
/** Beyond this number of entries, those of ended threads are used again before the table grows. */
const MAX_ENDED = 1024
const CELLS_PER_ENTRY = 2
const KEY = 'millrace.threads'
/** The bit of a word that says that the thread has ended. */
const ENDED = 1n << 63n
const MAX_WORD = (1n << 63n) - 1n

interface Table {
  readonly cells: Int32Array<SharedArrayBuffer>
  readonly words: BigUint64Array<SharedArrayBuffer>
}

let table: Table | undefined
/** Where the next free entry may be. */
let hint = 0

/** Joins the table of the parent, or makes one. Call it before this thread starts others. */
export function joinTree(): Table {
  if (table !== undefined) return table
  const known = getEnvironmentData(KEY) as unknown
  const buffer =
    known instanceof SharedArrayBuffer
      ? known
      : createGrowable(MIN_ENTRIES * CELLS_PER_ENTRY, MAX_ENTRIES * CELLS_PER_ENTRY)
  if (known !== buffer) setEnvironmentData(KEY, buffer)
  table = { cells: new Int32Array(buffer), words: new BigUint64Array(buffer) }
  return table
}

export function noteChild(child: number): void {
  const { cells, words } = joinTree()
  for (;;) {
    const count = words.length
    const at = claim(words, 0n, wordOf(child)) ?? (count < MAX_ENDED ? undefined : claimEnded(words, child))
    if (at !== undefined) {
      hint = at + 1
      return
    }
    if (count >= MAX_ENTRIES) return
    growTo(cells, CELLS_PER_ENTRY * (count + 1), CELLS_PER_ENTRY * MAX_ENTRIES)
  }
}

/** A thread, and all threads below it. */
export function subtreeOf(thread: number): ReadonlySet<number> {
  const family = new Set([thread])
  for (const { child, parent } of entries()) if (family.has(parent)) family.add(child)
  return family
}

/** All objects that this thread knows were told of the end of these threads. */
export function removeThreads(family: ReadonlySet<number>): void {
  const { words } = joinTree()
  for (const { at, child, word } of entries()) {
    if (family.has(child)) Atomics.compareExchange(words, at, word, isMainThread ? 0n : word | ENDED)
  }
}

/** How many threads the table knows, ended ones included. For tests. */
export function countThreads(): number {
  return entries().length
}

interface Entry {
  readonly at: number
  readonly word: bigint
  readonly child: number
  readonly parent: number
}

/** Children come after their parents. */
function entries(): Entry[] {
  const { words } = joinTree()
  const all: Entry[] = []
  for (let at = 0; at < words.length; at++) {
    const word = Atomics.load(words, at)
    if (word === 0n) continue
    all.push({ at, word, child: Number((word & MAX_WORD) >> 32n) - 1, parent: Number(word & 0xffff_ffffn) - 1 })
  }
  // Threads are numbered in the order of their starts.
  return all.sort((one, other) => one.child - other.child)
}

function claim(words: BigUint64Array, from: bigint, to: bigint): number | undefined {
  for (let tried = 0; tried < words.length; tried++) {
    const at = (hint + tried) % words.length
    if (Atomics.load(words, at) === from && Atomics.compareExchange(words, at, from, to) === from) return at
  }
  return undefined
}

/** Takes the oldest entry of an ended thread. */
function claimEnded(words: BigUint64Array, child: number): number | undefined {
  for (const { at, word } of entries()) {
    if ((word & ENDED) !== 0n && Atomics.compareExchange(words, at, word, wordOf(child)) === word) return at
  }
  return undefined
}

function wordOf(child: number): bigint {
  return (BigInt(child + 1) << 32n) | BigInt(threadId + 1)
}
