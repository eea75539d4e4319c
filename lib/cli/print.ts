import { standardOutput } from '../io/standard-output.js'

/**
 * Prints a text that was asked for in place of results. Its reader may end early, as in `millrace --help | head`.
 *
 * @returns When it is written, or nobody reads it. @throws Other errors of the system, such as ENOSPC.
 */
export function print(text: string): Promise<void> {
  const stdout = standardOutput()
  return new Promise((resolve, reject) => {
    const end = (error?: NodeJS.ErrnoException | null): void => {
      // The write fails, and the stream tells it, too.
      if (!error || error.code === 'EPIPE') resolve()
      else reject(error)
    }
    stdout.on('error', end)
    stdout.write(text, end)
  })
}
