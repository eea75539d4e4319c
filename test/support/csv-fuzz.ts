/**
 * Checks the search for records with quotes in random bytes for a given time: `npm run stress -- csv --seconds 60 --seed 1`.
 * At the first case that fails it prints the case, made smaller, with its seed, and ends with status 1.
 */
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { PROPERTIES } from './quoted.js'

const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } })
const seconds = Number(values.seconds ?? 60)
const first = Number(values.seed ?? 1)
if (!(seconds >= 0) || !Number.isInteger(first)) throw new TypeError('usage: csv [--seconds N] [--seed S]')

const RUNS = 5_000
const end = performance.now() + 1_000 * seconds
let seed = first
do {
  for (const [title, property] of Object.entries(PROPERTIES)) {
    const details = fc.check(property as fc.IProperty<unknown>, { numRuns: RUNS, seed })
    if (!details.failed) continue
    console.error(`Records with quotes ${title}, but not at seed ${seed}:`, fc.defaultReportMessage(details))
    process.exit(1)
  }
} while (++seed && performance.now() < end)
const cases = (seed - first) * RUNS * Object.keys(PROPERTIES).length
console.log(`${cases} cases, seeds from ${first} on: nothing is wrong`)
