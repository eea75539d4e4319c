/** The inputs of a command line: files, globs and the standard input, and the source that reads them. */
import { statSync, type Stats } from 'node:fs'
import type { ByteSource } from '../../io/bytes.js'
import { lines } from '../../io/lines.js'
import { offerPaths } from '../../io/path-list.js'
import type { Source } from '../../io/source.js'
import { hasCompressedName, inputFormatOfName } from '../../io/suffixes.js'
import { isServerUrl } from '../../io/urls.js'
import { csv, tsv } from '../../sources/csv.js'
import { files } from '../../sources/files.js'
import { fixed } from '../../sources/fixed.js'
import { json } from '../../sources/json.js'
import { ndjson } from '../../sources/ndjson.js'
import { parquet, type ParquetSource } from '../../sources/parquet.js'
import { replay } from '../../sources/replay.js'
import { UsageError } from '../usage-error.js'
import type { InputFormat, PlannedInput } from '../plan.js'

export interface Inputs {
  readonly sources: readonly ByteSource[]
  readonly format: InputFormat
  /** The files and URLs, as far as they are known. Globs are listed once: an unfinished output would match them later. */
  readonly paths: readonly string[]
  /** How the inputs are shown. */
  readonly names: readonly string[]
  /** The size of all files together; undefined if that says little about their data. */
  readonly size: number | undefined
}

const GLOB = /[*?[\]{}()!]/

/**
 * Looks at the files, and reads nothing.
 *
 * @param isLeftOut Whether a file is not to be matched by globs.
 * @throws UsageError if one is missing, and if a glob matches nothing.
 */
export async function findInputs(
  plan: PlannedInput,
  isLeftOut: (path: string) => boolean = () => false,
): Promise<Inputs> {
  if (plan.replay !== undefined) return { ...(await found([plan.replay], [], isLeftOut)), format: 'ndjson' }
  const given = plan.files.length === 0 ? ['-'] : plan.files
  const negated = given.filter((name) => name.startsWith('!') && !name.startsWith('!(') && statOf(name) === undefined)
  if (negated.length === given.length) {
    throw new UsageError(`'${given.join("' and '")}' leave files out, and there are no others: add a file or a glob`)
  }
  const all = await found(
    given.filter((name) => !negated.includes(name)),
    negated,
    isLeftOut,
  )
  const format = plan.format ?? commonFormat(all.paths)
  // Its bytes say little about its rows, which workers decode.
  return { ...all, format, ...(format === 'parquet' && { size: undefined }) }
}

/** @param outputs Files that are written, by their options. @throws UsageError if one of them is an input. */
export function assertNoInputs(
  paths: readonly string[],
  outputs: readonly (readonly [string, string | undefined])[],
): void {
  const byFile = new Map(paths.map((path) => [fileOf(path), path]))
  for (const [option, path] of outputs) {
    const file = path === undefined ? undefined : fileOf(path)
    const input = file === undefined ? undefined : byFile.get(file)
    if (input !== undefined) throw new UsageError(`${option} '${path}' is the input '${input}': write to another file`)
  }
}

/** By device and inode. Undefined: it does not exist. */
function fileOf(path: string): string | undefined {
  const stats = statOf(path)
  return stats && `${stats.dev}:${stats.ino}`
}

async function found(
  names: readonly string[],
  negated: readonly string[],
  isLeftOut: (path: string) => boolean,
): Promise<Omit<Inputs, 'format'>> {
  if (names.filter((name) => name === '-').length > 1)
    throw new UsageError("'-' can be given once: the standard input can be read once")
  const sources: ByteSource[] = []
  const paths: string[] = []
  let size: number | undefined = 0
  for (const name of names) {
    if (name === '-') {
      sources.push(process.stdin)
      size = undefined
      continue
    }
    if (isServerUrl(name)) {
      sources.push(name)
      paths.push(name)
      size = undefined
      continue
    }
    const stats = statOf(name)
    const globbed = stats === undefined ? files([globOf(name), ...negated]) : undefined
    sources.push(globbed ?? name)
    const matching = globbed === undefined ? [name] : await pathsOf(globbed, name, isLeftOut)
    if (globbed !== undefined) offerPaths(globbed, () => Promise.resolve(matching))
    for (const path of matching) {
      const own = path === name ? stats : statOf(path)
      if (own?.isDirectory() === true)
        throw new UsageError(`'${name}' is a folder: for its files, write '${name.replace(/\/$/, '')}/*'`)
      if (own === undefined || !own.isFile() || hasCompressedName(path)) size = undefined
      else if (size !== undefined) size += own.size
    }
    paths.push(...matching)
  }
  return { sources, names, paths, size }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined
    // It may not be allowed to look, or links lead in a circle.
    throw new UsageError(`'${path}' cannot be used: ${(error as Error).message}`, { cause: error })
  }
}

function globOf(name: string): string {
  if (GLOB.test(name)) return name
  throw new UsageError(`there is no file '${name}'${forgotten(name)}`)
}

async function pathsOf(
  globbed: AsyncIterable<string>,
  glob: string,
  isLeftOut: (path: string) => boolean,
): Promise<string[]> {
  const paths: string[] = []
  try {
    for await (const path of globbed) if (!isLeftOut(path)) paths.push(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_NO_FILES') throw error
    throw noMatch(glob)
  }
  if (paths.length === 0) throw noMatch(glob)
  return paths
}

function noMatch(glob: string): UsageError {
  return new UsageError(`no file matches '${glob}'${forgotten(glob)}`)
}

/** The cure for what is rather an expression: it uses `d`, or is a function. */
function forgotten(name: string): string {
  if (/^(?:[=!<>&|+*/%?:]+|=>)$/.test(name)) {
    return `. If it is a part of an expression, put that into quotes, such as -w 'd.country === "DE"'`
  }
  return /(?:^|[^\w$.])d(?:\?\.|\.|\[)|=>/.test(name) ? `. An expression needs an option, such as -e '${name}'` : ''
}

/** @throws UsageError if the files have different formats. */
function commonFormat(paths: readonly string[]): InputFormat {
  const byFormat = new Map<InputFormat, string>()
  for (const path of paths) {
    const format = inputFormatOfName(path) ?? 'lines'
    if (!byFormat.has(format)) byFormat.set(format, path)
  }
  const [first, second] = byFormat
  if (first !== undefined && second !== undefined) {
    const module = paths.find((path) => /\.[cm]?[jt]s$/.test(path))
    const cure = module === undefined ? '' : ` (for a module of tasks: -m ${module})`
    throw new UsageError(
      `'${first[1]}' is read as ${first[0]}, and '${second[1]}' as ${second[0]}: say which by --from, or read them apart${cure}`,
    )
  }
  return first?.[0] ?? 'lines'
}

/** The items of the inputs. Nothing is opened. @throws TypeError or RangeError for an option that the format does not have. */
export function openInputs({ sources, format }: Inputs, plan: PlannedInput): Source<unknown> {
  const { encoding, decompress } = plan
  const common = { ...(encoding !== undefined && { encoding }), ...(decompress !== undefined && { decompress }) }
  if (plan.replay !== undefined) return replay(sources, common)
  if (format === 'lines') return lines(sources, { ...common, ...(plan.isNul && { delimiter: '\0' }) })
  if (format === 'fixed') return fixed(sources, { ...common, columns: plan.fixed ?? {} })
  const { columns, delimiter, header } = plan
  if (format === 'parquet')
    return parquet(sources as readonly ParquetSource[], columns === undefined ? {} : { columns })
  const keys = { ...common, ...(columns !== undefined && { columns }) }
  if (format === 'ndjson') return ndjson(sources, keys)
  if (format === 'json') return json(sources, { ...keys, ...(plan.path !== undefined && { path: plan.path }) })
  const table = { ...common, ...(delimiter !== undefined && { delimiter }) }
  const read = format === 'csv' ? csv : tsv
  if (!header) return read(sources, { ...table, header: columns ?? false })
  return columns === undefined ? read(sources, table) : read(sources, { ...table, columns })
}
