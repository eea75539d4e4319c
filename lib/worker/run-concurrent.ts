/** Runs several items of a chunk at a time, by `p-limit`: for tasks that wait more than they compute. */
import pLimit from 'p-limit'
import { unpack } from '../codec/codec.js'
import type { EncodedError } from '../codec/error-codec/types.js'
import { BadRecord } from '../codec/records/record-data.js'
import { countBegun } from './cells.js'
import { ItemContext, type RunningChunk } from './chunk.js'
import { elementsOf } from './expand.js'
import { takesContext, type TaskFunction } from './load.js'
import type { Poster } from './poster.js'
import { OldestItem } from './oldest-item.js'

/** Runs all items, or those before a cancel; their outcomes are posted as they come. */
export function runConcurrent(fn: TaskFunction, chunk: RunningChunk, poster: Poster): Promise<void> {
  const items = unpack(chunk.data)
  poster.scatter()
  return runLimited(fn, items, chunk, (chunkOffset, result, error) => {
    poster.outbox.chunkOffsets?.push(chunkOffset)
    if (error === undefined) poster.take(items[chunkOffset], result, chunkOffset, true)
    else poster.outbox.fail(error)
    poster.postSoon()
  })
}

/** Runs all items, or those before a cancel; their outcomes are posted in the order of the items. */
export function runConcurrentInOrder(fn: TaskFunction, chunk: RunningChunk, poster: Poster): Promise<void> {
  const items = unpack(chunk.data)
  const done = new Map<number, { result: unknown; error: EncodedError | undefined }>()
  let next = chunk.start
  return runLimited(fn, items, chunk, (chunkOffset, result, error) => {
    done.set(chunkOffset, { result, error })
    for (let head = done.get(next); head !== undefined; head = done.get(++next)) {
      done.delete(next)
      if (head.error === undefined) poster.take(items[next], head.result, next, true)
      else poster.outbox.fail(head.error)
    }
    if (poster.outbox.count > 0) poster.postSoon()
  })
}

async function runLimited(
  fn: TaskFunction,
  items: readonly unknown[],
  chunk: RunningChunk,
  settled: (chunkOffset: number, result: unknown, error?: EncodedError) => void,
): Promise<void> {
  const { kind, concurrency, timeout } = chunk.job
  const { cells } = chunk.host
  const limit = pLimit(concurrency)
  const withContext = takesContext(kind, fn)
  const watch = timeout === undefined ? undefined : new OldestItem(cells)
  const one = async (item: unknown, chunkOffset: number): Promise<void> => {
    if (chunk.isCancelled || chunkOffset < chunk.start) return
    countBegun(cells, chunkOffset + 1)
    if (chunk.settled?.has(chunkOffset) === true) {
      const error = chunk.settled.get(chunkOffset)
      if (error !== undefined) settled(chunkOffset, undefined, error)
      return
    }
    watch?.begin(chunkOffset)
    try {
      if (item instanceof BadRecord) throw item.error
      const result = await (withContext ? fn(item, new ItemContext(chunk, chunk.first + chunkOffset)) : fn(item))
      settled(chunkOffset, kind === 'flatMap' ? await elementsOf(result) : result)
    } catch (error) {
      settled(chunkOffset, undefined, chunk.encodeError(error, chunkOffset))
    } finally {
      watch?.end(chunkOffset)
    }
  }
  await Promise.all(items.map((item, chunkOffset) => limit(one, item, chunkOffset)))
  watch?.close()
}
