/** What a path names, if anything. */
import type { BigIntStats } from 'node:fs'
import { stat } from 'node:fs/promises'

export function statOf(path: string): Promise<BigIntStats | undefined> {
  return unlessMissing(stat(path, { bigint: true }))
}

/** Undefined if there is no such file. */
export async function unlessMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
