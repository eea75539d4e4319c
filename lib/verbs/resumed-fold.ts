/** A fold that goes on where an earlier run was: its accumulator is stored in a checkpoint. */
import { cloned } from '../codec/codec.js'
import { InputFiles } from '../disk/input-files.js'
import { openBatches } from '../io/source.js'
import { withCheckpointPath } from '../resume/checkpoint-error.js'
import { Checkpoints } from '../resume/checkpoints.js'
import { hashOfFunction } from '../resume/code.js'
import { Mark } from '../resume/mark.js'
import type { ResumeSettings } from '../resume/options.js'
import { restoredValue, storedValue } from '../resume/values.js'
import { inputsOf, originOf } from '../stream/origin.js'
import type { Stream } from '../stream/stream.js'
import { withPartials, type Merge, type Result } from './merge-partials.js'

/** What is stored, for errors. */
const STORED = 'the accumulator'

/** What is merged when a mark comes is all before it, and nothing behind it. */
export async function resumedValue(
  partials: Stream<unknown>,
  { initial, merge }: { readonly initial: unknown; readonly merge: Merge },
  signals: readonly AbortSignal[],
  settings: ResumeSettings,
): Promise<unknown> {
  const plan = {
    plan: { verb: 'reduce', initial: storedValue(initial, "'initial'") },
    code: { merge: hashOfFunction(merge) },
  }
  const origin = originOf(partials)
  const bytesRead = (): number => origin?.input?.read ?? 0
  const checkpoints = await Checkpoints.open(settings.checkpoint, settings, partials, plan, bytesRead)
  const inputs = new InputFiles(() => inputsOf(origin))
  try {
    const { ended } = checkpoints
    if (ended !== undefined) {
      await partials.return()
      await checkpoints.publish(ended, { overwrite: true, inputs })
      return restoredValue(ended.value, STORED)
    }
    await checkpoints.beginPipeline()
    const before = await checkpoints.outputs()
    let result = before && (restoredValue(before.state, STORED) as Result)
    const reader = openBatches(partials)
    if (reader === undefined) throw new Error('A stream gives batches')
    let failure: { readonly error: unknown } | undefined
    checkpoints.start(undefined, (error) => (failure ??= { error }))
    for (let batch = await reader.next(Infinity); batch !== undefined; batch = await reader.next(Infinity)) {
      if (failure !== undefined) throw failure.error
      if (batch instanceof Mark) {
        const state = storedValue(result, STORED)
        checkpoints.take(batch, { safe: () => Promise.resolve({ state, rests: [] }) })
      } else result = await withPartials(result, batch.values(), merge, signals)
      checkpoints.readOn()
    }
    const value = result === undefined ? cloned(initial) : result.value
    await checkpoints.publish(
      { counts: checkpoints.before, files: [], value: storedValue(value, STORED) },
      { overwrite: true, inputs },
    )
    return value
  } catch (error) {
    await partials.return()
    throw withCheckpointPath(error, settings.checkpoint)
  } finally {
    await checkpoints.settle()
    await checkpoints.release()
  }
}
