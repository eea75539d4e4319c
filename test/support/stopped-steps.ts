/** Stops a program in this process at one of its steps on disk, as if it were killed there. */
import { DiskFile } from '#dist/disk/disk.js'
import { watchSteps, type StepHook } from '#dist/disk/steps.js'

/** What a step that is not taken any more rejects with. */
export class Stopped extends Error {}

/** Where it is stopped: before or behind the step with this number, from 0. */
export interface Stop {
  readonly at: number
  readonly side: 'before' | 'behind'
}

/** Leaves nothing open of a step whose result nobody gets. */
async function close(result: unknown): Promise<void> {
  if (result instanceof DiskFile) await result.close()
}

/**
 * Runs something up to a step. From then on nothing is changed on disk.
 *
 * @param around Stands around each step that is taken.
 * @returns How many steps there were, and whether it was stopped. Errors of the run that was stopped are dropped.
 */
export async function stoppedAt(
  stop: Stop | undefined,
  run: () => Promise<unknown>,
  around: StepHook = (_, take) => take(),
): Promise<{ readonly steps: number; readonly wasStopped: boolean }> {
  let steps = 0
  let wasStopped = false
  watchSteps(async (step, take) => {
    const isIt = stop?.at === steps++
    if (isIt && stop.side === 'before') wasStopped = true
    if (wasStopped) throw new Stopped(`Stopped before ${step.name}`)
    const result = await around(step, take)
    if (isIt) wasStopped = true
    if (!wasStopped) return result
    await close(result)
    throw new Stopped(`Stopped behind ${step.name}`)
  })
  try {
    await run()
  } catch (error) {
    if (!wasStopped) throw error
  } finally {
    watchSteps(undefined)
  }
  return { steps, wasStopped }
}

/** Both sides of each step of a run. @param run Is run once for each, and once without a stop. */
export async function atEachStep(run: (stop: Stop | undefined) => Promise<number>): Promise<void> {
  const steps = await run(undefined)
  for (let at = 0; at < steps; at++) {
    for (const side of ['before', 'behind'] as const) await run({ at, side })
  }
}
