/** Checks the options that have another meaning, or none, for worker processes. */
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

/** @param action Begins the error texts. @param args They are copied to the process. */
export function assertProcessOptions(action: string, read: OptionReader<Options>, args: readonly unknown[]): void {
  if (read.any('env') === SHARE_ENV) {
    read.fail(typeError, 'env', "an object of strings with isolation 'process'", SHARE_ENV)
  }
  const limits = Object.entries(read.any('resourceLimits') ?? {}) as [string, unknown][]
  for (const [name, limit] of limits) {
    if (limit === undefined || LIMITS.includes(name)) continue
    const expected = `left out with isolation 'process', which has ${LIMITS.join(' and ')}`
    read.fail(typeError, `resourceLimits.${name}`, expected, limit)
  }
  assertUnshared(action, args, 'initargs')
}

/** Throws the error of a value with a part that only threads can share. @param name What to call the value. */
export function assertUnshared(action: string, value: unknown, name: string): void {
  try {
    assertApart(value)
  } catch (cause) {
    const part = sharedPart(value, name, cause as Error)
    throw new NotSerializableError(`Cannot ${action} as ${part}: use isolation 'thread'`, { cause })
  }
}
