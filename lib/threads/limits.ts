/** Memory limits of a worker. */
import { rangeError } from '../errors.js'
import { isPlainObject, type OptionReader } from '../options.js'

/** Memory limits of each worker, in MiB, as in `new Worker()` of Node. A worker that exceeds one ends, and its item fails. */
export interface ResourceLimits {
  readonly maxYoungGenerationSizeMb?: number
  /** At least 4. A worker with less than about 16 does not start. */
  readonly maxOldGenerationSizeMb?: number
  readonly codeRangeSizeMb?: number
  /** At least 0.3: with less, Node itself runs out of stack, which ends the whole program. Default: 4. */
  readonly stackSizeMb?: number
}

/**
 * With less, Node 20 to 24 end the whole program while the worker starts. That was found by trial: with up to 0.25 MiB of stack, of which
 * Node keeps 0.1875, or with up to 2 MiB of heap.
 */
const MINIMA = { stackSizeMb: 0.3, maxOldGenerationSizeMb: 4 } as const

const NAMES = ['maxYoungGenerationSizeMb', 'maxOldGenerationSizeMb', 'codeRangeSizeMb', 'stackSizeMb']

/** Reads and checks the option `resourceLimits`. */
export function readLimits(
  read: OptionReader<{ readonly resourceLimits?: ResourceLimits }>,
): ResourceLimits | undefined {
  const limits = read.value('resourceLimits', `an object of numbers above 0: ${NAMES.join(', ')}`, areLimits)
  for (const [name, min] of Object.entries(MINIMA)) {
    const limit = limits?.[name as keyof typeof MINIMA] ?? min
    if (limit >= min) continue
    const expected = `at least ${min}, because Node ends the whole program with less`
    read.fail(rangeError, `resourceLimits.${name}`, expected, limit)
  }
  return limits
}

function areLimits(value: unknown): boolean {
  if (!isPlainObject(value)) return false
  return Object.entries(value).every(([name, limit]) => {
    if (!NAMES.includes(name)) return false
    return limit === undefined || (typeof limit === 'number' && limit > 0 && limit < Infinity)
  })
}
