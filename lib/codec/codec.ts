/**
 * How the values of a chunk cross to another thread. Today by structured clone, which the port does while it posts;
 * whatever replaces it keeps to these functions.
 */
import type { Transferable } from 'node:worker_threads'
import { notSerializable } from './clonable.js'
import { assertShallow } from './depth.js'
import { allLines, lineCursor, type LineData } from './line-data.js'
import { sealError, type Envelope } from './envelope.js'

/** What a message carries: the values themselves, to be cloned as the message is. */
export type Data = readonly unknown[] | LineData

/** Values made ready to be posted. */
export interface Packed {
  /** Goes into the message. */
  readonly data: Data
  /** Goes into the message's transfer list. */
  readonly transfer: readonly Transferable[]
  /** How much that is, roughly. */
  readonly bytes: number
}

/**
 * Packs values so that each arrives as if it had been sent alone: an object that stands there twice arrives as two.
 *
 * @throws What keeps the values from being packed; `sift()` then tells which of them it is.
 */
export function pack(values: readonly unknown[]): Packed {
  assertShallow(values)
  return { data: hasRepeats(values) ? values.map((value) => structuredClone(value)) : values, transfer: [], bytes: 0 }
}

function hasRepeats(values: readonly unknown[]): boolean {
  const objects = values.filter((value) => typeof value === 'object' && value !== null)
  return objects.length > 1 && new Set(objects).size < objects.length
}

/** `unpack(structuredClone(pack(values).data))` equals `structuredClone(values)`. */
export function unpack(data: Data): unknown[] {
  return isLines(data) ? allLines(data) : (data as unknown[])
}

function isLines(data: Data): data is LineData {
  return (data as Partial<LineData>).kind === 'lines'
}

/** Values that are read one after the other. */
export interface Cursor {
  readonly length: number
  /** The next value; may be called `length` times. */
  readonly next: () => unknown
}

/** As `unpack()`, but decodes each value when it is asked for, where that can be done. */
export function openCursor(data: Data): Cursor {
  if (isLines(data)) return { length: data.count, next: lineCursor(data) }
  const values = unpack(data)
  let position = 0
  return { length: values.length, next: () => values[position++] }
}

/** The values of a pack that could not be posted, told apart: those that can be cloned, and the errors of the others. */
export interface Sifted {
  /** Clones of the values, in their places; `undefined` for each that was refused. */
  readonly values: unknown[]
  readonly refused: readonly (readonly [position: number, error: Envelope])[]
}

/**
 * Clones value by value. The clones are plain data, so posting them cannot fail again, whatever a getter does.
 *
 * @param indexOf The index of the item that the value at a position is, or is the result of.
 */
export function sift(
  what: 'item' | 'result',
  values: readonly unknown[],
  indexOf: (position: number) => number,
): Sifted {
  const refused: [position: number, error: Envelope][] = []
  const clones = values.map((value, position) => {
    try {
      assertShallow([value])
      return structuredClone(value)
    } catch (cause) {
      refused.push([position, sealError(notSerializable(what, indexOf(position), value, cause))])
      return undefined
    }
  })
  return { values: clones, refused }
}
