/** Checks the options that have another meaning, or none, for processes of the system. */
import { SHARE_ENV } from 'node:worker_threads'
import { assertApart } from '../codec/apart.js'
import { sharedPart } from '../codec/clonable.js'
import { NotSerializableError, typeError } from '../errors.js'
import type { OptionReader } from '../options.js'
import type { WorkerEnv } from '../threads/launch.js'
import type { ResourceLimits } from '../threads/limits.js'

interface Options {
  readonly env?: WorkerEnv
  readonly resourceLimits?: ResourceLimits
}

/** Node has flags for these. */
const LIMITS = ['maxOldGenerationSizeMb', 'maxYoungGenerationSizeMb']

export function assertProcessOptions(read: OptionReader<Options>): void {
  if (read.any('env') === SHARE_ENV) {
    read.fail(typeError, 'env', "an object of strings with isolation 'process'", SHARE_ENV)
  }
  const limits = Object.entries(read.any('resourceLimits') ?? {}) as [string, unknown][]
  for (const [name, limit] of limits) {
    if (limit === undefined || LIMITS.includes(name)) continue
    const expected = `left out with isolation 'process', which has ${LIMITS.join(' and ')}`
    read.fail(typeError, `resourceLimits.${name}`, expected, limit)
  }
}

/**
 * Throws the error of a value with a part that only threads can share.
 *
 * @param action Begins the error text.
 * @param name What to call the value.
 */
export function assertUnshared(action: string, value: unknown, name: string): void {
  try {
    assertApart(value)
  } catch (cause) {
    const part = sharedPart(value, name, cause as Error)
    throw new NotSerializableError(`Cannot ${action} as ${part}: use isolation 'thread'`, { cause })
  }
}
