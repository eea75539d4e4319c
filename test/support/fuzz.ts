/**
 * Runs random cases of the model for a given time: `npm run stress -- fuzz --seconds 60 --seed 1`, with `--processes` on worker processes. At the first case
 * that fails it prints the seed, makes the case smaller, and ends with status 1. For one seed: `--seed S --seconds 0`.
 */
import { parseArgs } from 'node:util'
import { findFault } from './model.js'

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, processes: { type: 'boolean' } },
})
const seconds = Number(values.seconds ?? 60)
const first = Number(values.seed ?? 1)
const isolation = values.processes === true ? 'process' : 'thread'
if (!(seconds >= 0) || !Number.isInteger(first))
  throw new TypeError('usage: fuzz [--seconds N] [--seed S] [--processes]')

let seed = first
process.on('uncaughtExceptionMonitor', () => {
  console.error(`uncaught at seed ${seed}`)
})

const end = performance.now() + 1_000 * seconds
do {
  if (await findFault(seed, console.error, { isolation })) process.exit(1)
} while (++seed && performance.now() < end)
console.log(`${seed - first} seeds from ${first} on: nothing is wrong`)
