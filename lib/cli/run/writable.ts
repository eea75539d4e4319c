/** Whether a file can be written that appears only at the end of a run. After hours of work it would be too late. */
import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { UsageError } from '../usage-error.js'

/** Makes the folder of the file, as the run does. @throws UsageError */
export function assertWritable(option: string, path: string): void {
  const trial = `${path}.part`
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw new Error('it is a folder')
    mkdirSync(dirname(path), { recursive: true })
    closeSync(openSync(trial, 'w'))
    rmSync(trial)
  } catch (cause) {
    throw new UsageError(`${option} '${path}' cannot be written: ${(cause as Error).message}`, { cause })
  }
}
