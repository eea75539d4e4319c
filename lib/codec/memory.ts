/** Memory of records that is read as text. It may be shared with other threads. */

/**
 * Node's decoders, which its types leave out. `toString()` is a tenth slower for short texts: it looks them up again at
 * each call.
 */
interface Decoders {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}

export type Memory = Buffer & Decoders

/** @param length Default: up to the end. */
export function memoryOf(buffer: ArrayBufferLike, start?: number, length?: number): Memory {
  // By way of unknown: a Buffer of shared memory has another type than what the declarations call Buffer.
  return Buffer.from(buffer, start, length) as unknown as Memory
}
