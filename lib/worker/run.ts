/** Runs one chunk inside a worker, in the way that its job asks for, and posts the outcomes in parts. */
import { beginUntracked } from './cells.js'
import type { RunningChunk } from './chunk.js'
import { fold } from './fold.js'
import type { TaskFunction } from './load.js'
import type { Poster } from './poster.js'
import { runConcurrent, runConcurrentInOrder } from './run-concurrent.js'
import { SequentialRun } from './run-sequential.js'

/**
 * Runs all items, or those before a cancel, and posts the last part. If no item has to be awaited, that is done at the
 * return. It never throws or rejects, whatever a task does.
 */
export function runChunk(fn: TaskFunction, chunk: RunningChunk, poster: Poster): Promise<void> | undefined {
  poster.begin()
  const { host, track } = chunk
  if (host.track !== undefined && track === undefined) {
    beginUntracked(host.cells)
    host.track()
  }
  const running = runItems(fn, chunk, poster)
  if (running === undefined) poster.post(true)
  return running?.then(() => {
    poster.post(true)
  })
}

function runItems(fn: TaskFunction, chunk: RunningChunk, poster: Poster): Promise<void> | undefined {
  const { kind, concurrency, ordered } = chunk.job
  if (kind === 'reduce') return fold(fn, chunk, poster)
  if (concurrency > 1) return (ordered ? runConcurrentInOrder : runConcurrent)(fn, chunk, poster)
  return new SequentialRun(fn, chunk, poster).run()
}
