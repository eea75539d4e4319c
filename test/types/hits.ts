/** Functions and tasks for the type tests. Nothing here is run. */
import { task } from 'millrace'

export interface Hit {
  path: string
  status: number
}

export function parseLine(line: string): Hit {
  return { path: line, status: 200 }
}

export async function fetchStatus(hit: Hit): Promise<number> {
  return await Promise.resolve(hit.status)
}

export const parse = task(import.meta.url, 'parse', parseLine)
export const status = task(import.meta.url, 'status', fetchStatus)
export const LIMIT = 10
