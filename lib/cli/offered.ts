/** What a host offers, by its command line: it imports nothing else. */
import { realpathSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { taskKey } from '../cluster/task-key.js'
import type { OfferedModule } from '../cluster/unit-run.js'
import { attempt } from '../errors.js'
import type { TaskName } from '../task-name.js'
import { UsageError } from './command.js'

/**
 * @param files Paths of modules.
 * @param keyed Modules as `KEY=FILE`.
 * @param allowed Exports as `MODULE#NAME`.
 * @throws UsageError
 */
export function offeredModules(
  files: readonly string[],
  keyed: readonly string[],
  allowed: readonly string[],
  version: string | undefined,
): readonly OfferedModule[] {
  const byKey = new Map<string, OfferedModule & { readonly exports: Set<string> }>()
  const offer = (url: string, key?: string): void => {
    const named = taskKey(url, version, key)
    if (byKey.has(named)) throw new UsageError(`two modules have the key ${named}`)
    byKey.set(named, { taskKey: named, url, exports: new Set() })
  }
  for (const file of files) offer(urlOf(file))
  for (const text of keyed) {
    const [key, file] = partsOf('module', text, text.indexOf('='), 'KEY=FILE')
    offer(urlOf(file), key)
  }
  for (const text of allowed) {
    const [module, name] = partsOf('allow-export', text, text.lastIndexOf('#'), 'MODULE#NAME')
    const url = module.startsWith('node:') ? module : urlOf(module)
    if (![...byKey.values()].some((offered) => offered.url === url)) offer(url)
    for (const offered of byKey.values()) if (offered.url === url) offered.exports.add(name)
  }
  if (byKey.size === 0) throw new UsageError('a host needs at least one module of tasks')
  return [...byKey.values()]
}

/** A task as `FILE#ID`. */
export function taskIn(flag: string, text: string | undefined): TaskName | undefined {
  if (text === undefined) return undefined
  const [file, id] = partsOf(flag, text, text.lastIndexOf('#'), 'FILE#ID')
  return { module: urlOf(file), id, exported: false }
}

function partsOf(flag: string, text: string, at: number, form: string): [string, string] {
  const [before, after] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)]
  if (at <= 0 || after === '') throw new UsageError(`--${flag} must be ${form}: received '${text}'`)
  return [before, after]
}

/** As the module sees itself: Node resolves links. */
function urlOf(file: string): string {
  const path = attempt(() => realpathSync(file))
  if (path === undefined) throw new UsageError(`there is no module '${file}'`)
  return pathToFileURL(path).href
}
