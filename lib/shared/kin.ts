/**
 * Which thread has started which, for all threads that run this library: when a thread ends, so do those that it has started,
 * and nobody else hears of it.
 */
import { getEnvironmentData, setEnvironmentData, threadId } from 'node:worker_threads'
import { createGrowable, growTo } from './growable.js'

/** How many threads a program may have started before; of later ones is not known who started them. */
const MOST = 1 << 20
/** For so many there is room at first. */
const FEW = 64
const KEY = 'millrace.kin'

/** For each thread the number of the one that started it, plus one. Grows with the highest number. */
const parents = sharedTable()

function sharedTable(): Int32Array<SharedArrayBuffer> {
  // Handed on to every thread that this one starts, and so on.
  const known = getEnvironmentData(KEY) as unknown
  if (known instanceof SharedArrayBuffer) return new Int32Array(known)
  const table = createGrowable(FEW, MOST)
  setEnvironmentData(KEY, table)
  return new Int32Array(table)
}

/** This thread has started another one. */
export function noteChild(child: number): void {
  if (child >= MOST) return
  growTo(parents, child + 1, MOST)
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
