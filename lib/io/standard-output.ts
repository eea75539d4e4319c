/**
 * The standard output of this process. A command line keeps it for its results: `process.stdout` is then the standard
 * error for all other code, such as the modules of its user.
 */
type StandardOutput = typeof process.stdout

let kept: StandardOutput | undefined

/** The standard output, also where `process.stdout` is another stream. */
export function standardOutput(): StandardOutput {
  return kept ?? process.stdout
}

/** From now on, only what asks for `standardOutput()` writes there. */
export function keepStandardOutput(): void {
  kept ??= process.stdout
  Object.defineProperty(process, 'stdout', { configurable: true, enumerable: true, get: () => process.stderr })
}
