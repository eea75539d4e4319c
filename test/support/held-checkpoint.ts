/** An abort in the middle of a checkpoint. For tests of last checkpoints. */
import { setTimeout } from 'node:timers/promises'
import { watchSteps } from '#dist/disk/steps.js'
import { failingSource } from './marked-source.js'

const BATCH = 8
/** The first checkpoint is made when the source has given this many values. */
const HELD_AT = 1_000

/** What an aborted run has read. */
export interface AbortedRun {
  /** How many values its source had given when it was aborted, and in the end. */
  readonly atAbort: number
  readonly atEnd: number
}

/**
 * Aborts a run while its first checkpoint is made. That goes on when the source could have come to its end.
 *
 * @param run Rejects with `reason`.
 */
export async function abortedInCheckpoint<T>(
  values: readonly T[],
  reason: Error,
  run: (source: AsyncIterable<T>, signal: AbortSignal) => Promise<unknown>,
): Promise<AbortedRun> {
  const controller = new AbortController()
  let [atAbort, atEnd] = [Infinity, 0]
  const source = failingSource(values, BATCH, undefined, async (given, request) => {
    atEnd = given
    while (given >= HELD_AT && atAbort === Infinity && request?.isDue === false) await setTimeout(1)
  })
  watchSteps(async (step, take) => {
    if (atAbort === Infinity && step.name === 'checkpoint.rename') {
      atAbort = atEnd
      controller.abort(reason)
      // It gives a batch in each turn.
      for (const _ of values) await new Promise((resolve) => setImmediate(resolve))
    }
    return await take()
  })
  try {
    await expect(run(source, controller.signal)).rejects.toBe(reason)
  } finally {
    watchSteps(undefined)
  }
  return { atAbort, atEnd }
}
