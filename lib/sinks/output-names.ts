/** Which paths the outputs of a target can have, before their inputs or records are known. */
import { resolve, sep } from 'node:path'
import { PART_SUFFIX } from '../disk/publication.js'

/** What may stand for each placeholder of a template, and of the names of rotated files. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  // Without a folder it leaves nothing, and no separator.
  '{dir}/': '(?:.*/)?',
  '{dir}': '.*',
  '{name}': '[^/]+',
  '{index}': '\\d+',
  '{n}': '\\d+',
}
const PARTS = new RegExp(`(${Object.keys(PLACEHOLDERS).map(escape).join('|')})`)

/**
 * @param isFolder Whether the outputs are below the target, as those of partitions are.
 * @returns What a path may be: an output, one that is not finished, or neither.
 */
export function outputNames(target: string, isFolder: boolean): (path: string) => 'whole' | 'part' | undefined {
  const isOutput = outputsOf(target, isFolder)
  return (path) => {
    if (path.endsWith(PART_SUFFIX) && isOutput(path.slice(0, -PART_SUFFIX.length))) return 'part'
    return isOutput(path) ? 'whole' : undefined
  }
}

function outputsOf(target: string, isFolder: boolean): (path: string) => boolean {
  const whole = slashed(target)
  if (isFolder) return (path) => slashed(path).startsWith(`${whole}/`)
  const pattern = new RegExp(
    `^${whole
      .split(PARTS)
      .map((part) => PLACEHOLDERS[part] ?? escape(part))
      .join('')}$`,
    's',
  )
  return (path) => pattern.test(slashed(path))
}

/** Absolute, with the same separator on all systems. */
function slashed(path: string): string {
  return resolve(path).replaceAll(sep, '/')
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
