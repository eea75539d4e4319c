/**
 * Checks properties in random cases for a given time. At the first case that fails it prints the case, made smaller, with its
 * seed, and ends the program with status 1.
 */
import { parseArgs } from 'node:util'
import fc from 'fast-check'

const RUNS = 5_000

/** The options of the program are `--seconds` and `--seed`. @param what The properties are about. */
export function checkProperties(name: string, what: string, properties: Readonly<Record<string, unknown>>): void {
  const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } })
  const seconds = Number(values.seconds ?? 60)
  const first = Number(values.seed ?? 1)
  if (!(seconds >= 0) || !Number.isInteger(first)) throw new TypeError(`usage: ${name} [--seconds N] [--seed S]`)
  const end = performance.now() + 1_000 * seconds
  let seed = first
  do {
    for (const [title, property] of Object.entries(properties)) {
      const details = fc.check(property as fc.IProperty<unknown>, { numRuns: RUNS, seed })
      if (!details.failed) continue
      console.error(`${what} ${title}, but not at seed ${seed}:`, fc.defaultReportMessage(details))
      process.exit(1)
    }
  } while (++seed && performance.now() < end)
  const cases = (seed - first) * RUNS * Object.keys(properties).length
  console.log(`${cases} cases, seeds from ${first} on: nothing is wrong`)
}
