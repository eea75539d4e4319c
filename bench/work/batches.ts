/** Batches, as users of a pool make them by hand: one task for a thousand items. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'

/** The lines of a file by `readline`, in batches. */
export async function* lineBatches(path: string, size: number): AsyncGenerator<string[]> {
  let batch: string[] = []
  for await (const line of readLines(path)) {
    batch.push(line)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** The lines of a file, read as in Node's manual. */
export function readLines(path: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(path), crlfDelay: Infinity })
}

/** Items in batches. */
export function* batches<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = []
  for (const item of items) {
    batch.push(item)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
