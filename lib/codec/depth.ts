/**
 * Whether values nest too deeply to be read back. Cloning recurses, and a worker's stack is four times the main thread's:
 * what one thread could write, the other may not be able to read.
 */
import { nestsDeeperThan } from './clonable.js'

/** A main thread reads some 1,600 levels of objects, of the kinds that take most stack. */
const DEEPEST = 1_000
/** So many objects are looked at the quick way. Objects that are shared count each time, so there may be more than exist. */
const BUDGET = 100_000

/** Throws a `RangeError` when a value among `values` nests too deeply. Costs about 6 % of cloning them, for flat records of 8 fields. */
export function assertShallow(values: readonly unknown[]): void {
  const walk = { budget: BUDGET }
  for (const value of values) {
    // What is circular, or large, or has getters that throw, takes the long way: a clone has none of these surprises.
    if (isSurelyShallow(value, DEEPEST, walk) || !nestsDeeperThan(DEEPEST, structuredClone(value))) continue
    throw new RangeError(`a value nests more than ${DEEPEST} levels deep`)
  }
}

function isSurelyShallow(value: unknown, levels: number, walk: { budget: number }): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (levels === 0 || --walk.budget < 0) return false
  if (Array.isArray(value)) return value.every((element) => isSurelyShallow(element, levels - 1, walk))
  if (ArrayBuffer.isView(value)) return true
  if (value instanceof Map || value instanceof Set || value instanceof Error) return false
  try {
    for (const key in value) {
      if (!isSurelyShallow((value as Record<string, unknown>)[key], levels - 1, walk)) return false
    }
    return true
  } catch {
    return false
  }
}
