/**
 * Which thread has started which, for all threads that run this library: when a thread ends, so do those that it has started,
 * and nobody else hears of it.
 */
import { getEnvironmentData, setEnvironmentData, threadId } from 'node:worker_threads'

/** How many threads a program may have started before; of later ones is not known who started them. */
const MOST = 1 << 20
const KEY = 'millrace.kin'

/** For each thread the number of the one that started it, plus one. Grows with the highest number. */
const parents = sharedTable()

// In every supported Node, but not in the ES2023 library.
type Growable = SharedArrayBuffer & { grow(bytes: number): void }
type GrowableConstructor = new (bytes: number, options: { maxByteLength: number }) => Growable

function sharedTable(): Int32Array<SharedArrayBuffer> {
  // Handed on to every thread that this one starts, and so on.
  const known = getEnvironmentData(KEY) as unknown
  if (known instanceof SharedArrayBuffer) return new Int32Array(known)
  const bytes = (threads: number): number => threads * Int32Array.BYTES_PER_ELEMENT
  const table = new (SharedArrayBuffer as unknown as GrowableConstructor)(bytes(64), { maxByteLength: bytes(MOST) })
  setEnvironmentData(KEY, table)
  return new Int32Array(table)
}

/** This thread has started another one. */
export function noteChild(child: number): void {
  if (child >= MOST) return
  const table = parents.buffer as Growable
  // Growing to less than it has grown to meanwhile throws.
  while (parents.length <= child) {
    try {
      table.grow(Math.min(MOST, 2 * (child + 1)) * Int32Array.BYTES_PER_ELEMENT)
    } catch (error) {
      if (parents.length <= child) throw error
    }
  }
  Atomics.store(parents, child, threadId + 1)
}

/** A thread, and all that it has started, and they. */
export function familyOf(thread: number): ReadonlySet<number> {
  const family = new Set([thread])
  // Those that were started have higher numbers.
  for (let other = thread + 1; other < parents.length; other++) {
    const parent = Atomics.load(parents, other) - 1
    if (parent >= 0 && family.has(parent)) family.add(other)
  }
  return family
}
