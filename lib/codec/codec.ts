/**
 * How the values of a chunk cross to another thread. Today by structured clone, which the port does while it posts;
 * whatever replaces it keeps to these functions.
 */
import type { Transferable } from 'node:worker_threads'
import { assertShallow } from './depth.js'

/** Values made ready to be posted. */
export interface Packed {
  /** Goes into the message. */
  readonly data: unknown
  /** Goes into the message's transfer list. */
  readonly transfer: readonly Transferable[]
}

/**
 * Packs values so that each arrives as if it had been sent alone: an object that stands there twice arrives as two.
 *
 * @throws What keeps the values from being packed; `sift()` then tells which of them it is.
 */
export function pack(values: readonly unknown[]): Packed {
  assertShallow(values)
  return { data: hasRepeats(values) ? oneByOne(values) : values, transfer: [] }
}

/** What cannot be cloned stays in, so that posting it fails as it would have. */
function oneByOne(values: readonly unknown[]): readonly unknown[] {
  const sifted = sift(values)
  return sifted.refused.size === 0 ? sifted.values : values
}

function hasRepeats(values: readonly unknown[]): boolean {
  const objects = values.filter((value) => typeof value === 'object' && value !== null)
  return objects.length > 1 && new Set(objects).size < objects.length
}

/** `unpack(structuredClone(pack(values).data))` equals `structuredClone(values)`. */
export function unpack(data: unknown): unknown[] {
  return data as unknown[]
}

/** The values of a pack that could not be posted, told apart: those that can be cloned, and why the others cannot. */
export interface Sifted {
  /** Clones of the values, in their places; `undefined` for each that was refused. */
  readonly values: unknown[]
  readonly refused: ReadonlyMap<number, unknown>
}

/** Clones value by value. The clones are plain data, so posting them cannot fail again, whatever a getter does. */
export function sift(values: readonly unknown[]): Sifted {
  const refused = new Map<number, unknown>()
  const clones = values.map((value, position) => {
    try {
      assertShallow([value])
      return structuredClone(value)
    } catch (cause) {
      refused.set(position, cause)
      return undefined
    }
  })
  return { values: clones, refused }
}
