/** Runs several items of a chunk at a time, by `p-limit`: for tasks that wait more than they compute. */
import pLimit from 'p-limit'
import { cursorOf } from '../codec/codec.js'
import type { EncodedError } from '../codec/error-codec/types.js'
import { countBegun } from './cells.js'
import { ItemContext, type RunningChunk } from './chunk.js'
import { elementsOf } from './expand.js'
import { takesContext, type TaskFunction } from './load.js'
import type { Poster } from './poster.js'
import { OldestItem } from './oldest-item.js'

/** Runs all items, or those before a cancel; their outcomes are posted as they come. */
export function runConcurrent(fn: TaskFunction, chunk: RunningChunk, poster: Poster): Promise<void> {
  poster.scatter()
  return runLimited(fn, chunk, (chunkOffset, { item, result, error }) => {
    poster.outbox.chunkOffsets?.push(chunkOffset)
    if (error === undefined) poster.take(item, result, chunkOffset, true)
    else poster.outbox.fail(error)
    poster.postSoon()
  })
}

/** Runs all items, or those before a cancel; their outcomes are posted in the order of the items. */
export function runConcurrentInOrder(fn: TaskFunction, chunk: RunningChunk, poster: Poster): Promise<void> {
  const done = new Map<number, Settled>()
  let next = chunk.start
  return runLimited(fn, chunk, (chunkOffset, outcome) => {
    done.set(chunkOffset, outcome)
    for (let head = done.get(next); head !== undefined; head = done.get(++next)) {
      done.delete(next)
      if (head.error === undefined) poster.take(head.item, head.result, next, true)
      else poster.outbox.fail(head.error)
    }
    if (poster.outbox.count > 0) poster.postSoon()
  })
}

interface Settled {
  readonly item?: unknown
  readonly result?: unknown
  readonly error?: EncodedError
}

async function runLimited(
  fn: TaskFunction,
  chunk: RunningChunk,
  settled: (chunkOffset: number, outcome: Settled) => void,
): Promise<void> {
  const { kind, concurrency, timeout } = chunk.job
  const { cells } = chunk.host
  const { length, next, skip } = cursorOf(chunk.data)
  const limit = pLimit(concurrency)
  const withContext = takesContext(kind, fn)
  const { track } = chunk
  const watch = timeout === undefined ? undefined : new OldestItem(cells, track)
  // Items begin in their order: a record is decoded when it begins.
  const one = async (chunkOffset: number): Promise<void> => {
    if (chunk.isCancelled) return
    if (chunkOffset < chunk.start) {
      skip()
      return
    }
    countBegun(cells, chunkOffset + 1)
    track?.()
    if (chunk.settled?.has(chunkOffset) === true) {
      skip()
      const error = chunk.settled.get(chunkOffset)
      if (error !== undefined) settled(chunkOffset, { error })
      return
    }
    watch?.begin(chunkOffset)
    try {
      const item = next()
      const result = await (withContext ? fn(item, new ItemContext(chunk, chunk.first + chunkOffset)) : fn(item))
      settled(chunkOffset, { item, result: kind === 'flatMap' ? await elementsOf(result) : result })
    } catch (error) {
      settled(chunkOffset, { error: chunk.encodeError(error, chunkOffset) })
    } finally {
      watch?.end(chunkOffset)
    }
  }
  await Promise.all(Array.from({ length }, (_, chunkOffset) => limit(one, chunkOffset)))
  watch?.close()
}
