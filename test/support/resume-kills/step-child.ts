/**
 * A program that runs `two-checkpoints.ts`, and ends itself by SIGKILL at one of the steps on disk. It writes the names of
 * the steps that it has reached, one a line, to its standard output.
 */
import { writeSync } from 'node:fs'
import { watchSteps } from '#dist/disk/steps.js'
import { runWithTwoCheckpoints, type CompressionName } from './two-checkpoints.js'

/** Where it ends. 'during': when the step has been begun. */
export const SIDES = ['before', 'during', 'behind'] as const
export type Side = (typeof SIDES)[number]

/**
 * Its arguments: a folder, a compression; and the name of a step, how many of that name come before it, and a side. Without
 * these it ends by itself. Some steps are taken side by side, so their order is not the same each time.
 */
const [folder = '', compression, name, before, side] = process.argv.slice(2)
let left = Number(before)

function end(): void {
  process.kill(process.pid, 'SIGKILL')
}

watchSteps(async (step, take) => {
  const isIt = step.name === name && left-- === 0
  writeSync(process.stdout.fd, `${step.name}\n`)
  if (isIt && side === 'before') end()
  const taken = take()
  if (isIt && side === 'during') end()
  try {
    return await taken
  } finally {
    // Also behind one that has failed, such as the making of a lock that is there.
    if (isIt) end()
  }
})
await runWithTwoCheckpoints(folder, compression as CompressionName)
