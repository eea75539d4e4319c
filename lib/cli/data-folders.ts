/** The folders that a host names, by its command line: below them it reads files that items name. */
import { statSync } from 'node:fs'
import { attempt } from '../errors.js'
import { isFolderName } from '../io/data-folder.js'
import { UsageError } from './command.js'

/** @param given Folders as `NAME=DIR`. @throws UsageError */
export function dataFolders(given: readonly string[]): ReadonlyMap<string, string> {
  const folders = new Map<string, string>()
  for (const text of given) {
    const at = text.indexOf('=')
    const [name, folder] = [text.slice(0, Math.max(0, at)), text.slice(at + 1)]
    if (!isFolderName(name) || folder === '') {
      throw new UsageError(`--data must be NAME=DIR, with a name of 'a-z', '0-9' and '-': received '${text}'`)
    }
    if (folders.has(name)) throw new UsageError(`--data names two folders '${name}'`)
    if (attempt(() => statSync(folder).isDirectory()) !== true) throw new UsageError(`there is no folder '${folder}'`)
    folders.set(name, folder)
  }
  return folders
}
