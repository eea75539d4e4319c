/** Errors about the file of an output: it must not be replaced, or it is not the one that was written. */
import type { BigIntStats } from 'node:fs'
import { CheckpointError, OutputError } from '../errors.js'
import { withOutputCure } from './output-error.js'
import type { InputFiles } from './input-files.js'

/** Runs what is done with an output. Errors of the system name its path, and say what to do. */
export async function withCure<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw withOutputCure(error, path)
  }
}

export function isSameFile(one: BigIntStats | undefined, other: BigIntStats | undefined): boolean {
  return one !== undefined && one.dev === other?.dev && one.ino === other.ino
}

/** @param options Whether a file may be replaced at all, and the files that may not. */
export async function assertReplaceable(
  path: string,
  old: BigIntStats,
  options: { readonly overwrite: boolean; readonly inputs: InputFiles },
): Promise<void> {
  if (!options.overwrite) throw existsError(path)
  await assertNoInput(path, old, options.inputs)
}

export async function assertNoInput(path: string, file: BigIntStats, inputs: InputFiles): Promise<void> {
  const input = await inputs.find(file)
  if (input === undefined) return
  const cure = 'write to another file, and rename it afterwards'
  throw outputError(path, 'ERR_OUTPUT_IS_INPUT', `it is the input '${input}' (${cure})`)
}

export function existsError(path: string): OutputError {
  const cure = 'choose another name, or overwrite: true'
  return outputError(path, 'ERR_OUTPUT_EXISTS', `the file exists and 'overwrite' is false (${cure})`)
}

export function replacedError(path: string, part: string): OutputError {
  const cure = 'let only one program write a file at a time'
  return outputError(path, 'ERR_OUTPUT_REPLACED', `another program has replaced '${part}' (${cure})`)
}

function outputError(path: string, code: OutputError['code'], reason: string): OutputError {
  return Object.assign(new OutputError(`Cannot write '${path}' as ${reason}`, code), { path })
}

/**
 * What an earlier run has made safe is not there.
 *
 * @param length How many bytes it has made safe.
 * @param size How many there are; undefined: there is no file.
 */
export function lostError(path: string, part: string, length: number, size: bigint | undefined): CheckpointError {
  const found = size === undefined ? `'${part}' is missing` : `'${part}' has ${size} bytes`
  const text =
    `Cannot go on with '${path}' as ${found}: the earlier run had made ${length} bytes safe there ` +
    '(another program has changed it, or the disk has lost synced data: check them, and remove the checkpoint to begin again)'
  return Object.assign(new CheckpointError(text, 'ERR_CHECKPOINT_OUTPUT'), { path })
}
