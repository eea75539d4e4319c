/** The options with which Node starts a worker process. */
import type { ResourceLimits } from '../threads/limits.js'

/**
 * Options of the program that would run something else than the file of a worker, or take its port. Or they would read a file again: the
 * process has the environment already, and its working directory may be another one by now.
 */
const OF_THE_PROGRAM =
  /^--?(?:e|eval|p|pe|print|i|interactive|c|check|input-type|inspect(?:-.*)?|debug-port|test|watch(?:-.*)?|env-file(?:-if-exists)?)$/
/** Those that may be followed by their value. */
const WITH_VALUE =
  /^--?(?:e|eval|p|pe|print|input-type|inspect-port|debug-port|inspect-publish-uid|watch-path|env-file(?:-if-exists)?)$/

/**
 * @param execArgv Default: the options of this program, without those that would run something else.
 * @param limits Those of the two generations: processes have no others.
 */
export function nodeArguments(execArgv: readonly string[] | undefined, limits: ResourceLimits | undefined): string[] {
  const { maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young } = limits ?? {}
  const args = [...(execArgv ?? withoutProgram(process.execArgv))]
  if (old !== undefined) args.push(`--max-old-space-size=${Math.ceil(old)}`)
  // The young generation has three times the size of its semi-spaces.
  if (young !== undefined) args.push(`--max-semi-space-size=${Math.ceil(young / 3)}`)
  return args
}

function withoutProgram(given: readonly string[]): string[] {
  const args: string[] = []
  for (let at = 0; at < given.length; at++) {
    const arg = given[at] ?? ''
    const [name = ''] = arg.split('=')
    if (!OF_THE_PROGRAM.test(name)) args.push(arg)
    // The code of `-e` is a separate argument.
    else if (WITH_VALUE.test(arg)) at++
  }
  return args
}
