/**
 * Templates of output paths: one output for each input file. `{name}` is the name of the input without its suffixes.
 * `{dir}` is its folder below the fixed part of the glob, and `{index}` its number among the inputs, from 0.
 */
import { basename, dirname, extname, normalize, relative, resolve, sep } from 'node:path'
import { OutputError } from '../errors.js'
import { withoutCompression } from '../io/suffixes.js'
import { fileNameIn } from '../io/urls.js'
import type { SourceTrace } from './origin.js'

const PLACEHOLDER = /\{(name|dir|index)\}/g

export function isTemplate(path: string): boolean {
  return path.search(PLACEHOLDER) >= 0
}

/**
 * A function from the path of an input to that of its output, or to the one that it has had in an earlier run. It throws
 * if two inputs have the same output.
 */
export function templatePaths(
  template: string,
  inputs: Pick<SourceTrace, 'indexOf' | 'globs'>,
): (input: string, known?: string) => string {
  const inputOf = new Map<string, string>()
  return (input, known) => {
    const values = {
      name: nameOf(input),
      dir: folderOf(input, inputs.globs()),
      index: String(inputs.indexOf(input)),
    }
    const path = known ?? normalize(template.replace(PLACEHOLDER, (_, key: keyof typeof values) => values[key]))
    const other = inputOf.get(path)
    if (other !== undefined) throw sharedError(path, other, input)
    inputOf.set(path, input)
    return path
  }
}

function nameOf(path: string): string {
  const name = fileNameIn(path)
  const inner = withoutCompression(name)
  // `...csv` without its suffix would be the folder above.
  return [basename(inner, extname(inner)), inner].find((short) => short !== '.' && short !== '..') ?? name
}

/** Relative to the fixed part of the glob that it is below, the longest one. `.` where it is there itself. */
function folderOf(path: string, globs: readonly string[]): string {
  const folder = resolve(dirname(path))
  const roots = globs
    .map(fixedPart)
    .filter((root) => folder === root || folder.startsWith(root.endsWith(sep) ? root : root + sep))
  const [root = folder] = roots.sort((one, other) => other.length - one.length)
  return relative(root, folder) || '.'
}

/** The folder in which a glob begins to look: the names before the first one with a special character. */
function fixedPart(glob: string): string {
  const names = glob.split('/')
  const special = names.findIndex((name) => /[*?[\]{}()!+@\\]/.test(name))
  const fixed = names.slice(0, special < 0 ? -1 : special).join('/')
  return resolve(fixed === '' && glob.startsWith('/') ? '/' : fixed)
}

function sharedError(path: string, one: string, other: string): OutputError {
  const text = `Cannot write '${path}' as two inputs have this output: received '${one}' and '${other}' (use {dir} or {index})`
  return Object.assign(new OutputError(text, 'ERR_OUTPUT_EXISTS'), { path })
}
