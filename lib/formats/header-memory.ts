/**
 * Tells workers the keys of the first record, which are the columns of a CSV output without the option `columns`. They
 * are known when the first result is delivered. Until then a worker uses the keys of its records.
 */

/** Two words: a length in bytes, which is 0 until the keys are there, and room. Longer keys are not told. */
const WORD_BYTES = Int32Array.BYTES_PER_ELEMENT
const MAX_HEADER_BYTES = 64 * 1024

export function createHeaderMemory(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(WORD_BYTES + MAX_HEADER_BYTES))
}

/** Once. */
export function writeHeader(memory: Int32Array<SharedArrayBuffer>, keys: readonly string[]): void {
  const bytes = Buffer.from(JSON.stringify(keys))
  if (bytes.length > MAX_HEADER_BYTES) return
  bytes.copy(new Uint8Array(memory.buffer, WORD_BYTES))
  Atomics.store(memory, 0, bytes.length)
}

/** The keys, if they are there. */
export function readHeader(memory: Int32Array<SharedArrayBuffer>): readonly string[] | undefined {
  const length = Atomics.load(memory, 0)
  if (length === 0) return undefined
  // A copy: text is not decoded from shared memory.
  const bytes = Buffer.from(new Uint8Array(memory.buffer, WORD_BYTES, length))
  return JSON.parse(bytes.toString()) as string[]
}
