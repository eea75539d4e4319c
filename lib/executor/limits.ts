/** Memory limits of a worker. */
import { isPlainObject } from '../options.js'

/** Memory limits of each worker, in MiB; exceeding one ends the worker, and its item with it. As in `new Worker()` of Node. */
export interface ResourceLimits {
  readonly maxYoungGenerationSizeMb?: number
  readonly maxOldGenerationSizeMb?: number
  readonly codeRangeSizeMb?: number
  readonly stackSizeMb?: number
}

const NAMES = ['maxYoungGenerationSizeMb', 'maxOldGenerationSizeMb', 'codeRangeSizeMb', 'stackSizeMb']

/** What the limits must be, for error texts. */
export const LIMITS =
  'an object of numbers above 0: maxYoungGenerationSizeMb, maxOldGenerationSizeMb, codeRangeSizeMb, stackSizeMb'

/** The limits by their names, each a number above 0 or left out. */
export function areLimits(value: unknown): value is ResourceLimits {
  if (!isPlainObject(value)) return false
  return Object.entries(value).every(([name, limit]) => {
    if (!NAMES.includes(name)) return false
    return limit === undefined || (typeof limit === 'number' && limit > 0 && limit < Infinity)
  })
}
