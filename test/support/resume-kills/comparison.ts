/** Compares the files of two folders by their hashes. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** SHA-256 of all files in a folder, by their names. */
export type Hashes = ReadonlyMap<string, string>

/** @param isOrdered False: the order of lines does not count. */
export function hashesOf(folder: string, isOrdered: boolean): Hashes {
  return new Map(
    filesIn(folder).map((path) => {
      const bytes = readFileSync(path)
      return [path.slice(folder.length + 1), sha256(isOrdered ? bytes : sortedLines(bytes))]
    }),
  )
}

/** The paths of all files in a folder, sorted. */
export function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort()
}

/** The names of the files that are not the same in both. */
export function differencesOf(one: Hashes, other: Hashes): string[] {
  return [...new Set([...one.keys(), ...other.keys()])].filter((name) => one.get(name) !== other.get(name))
}

function sortedLines(bytes: Buffer): string {
  return bytes.toString('latin1').split('\n').sort().join('\n')
}

function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}
