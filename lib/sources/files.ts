/** The paths of files by globs. This file checks the call, and lists; names are read in file-names.ts. */
import { lstat, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { isAbsolute, parse, resolve } from 'node:path'
import type { GlobOptions } from 'tinyglobby'
import { Items } from '../codec/batch.js'
import { MillraceError, received, typeError } from '../errors.js'
import { showState } from '../inspect.js'
import { offerPaths, type Files } from '../io/path-list.js'
import { offerBatches, type BatchReader } from '../io/source.js'
import { ListPoint } from '../resume/list-point.js'
import { offerResume } from '../resume/mark.js'
import { OptionReader } from '../options.js'
import { escapeLineEnds, mayBeOtherBytes, NameReader, unescapeLineEnds } from './file-names.js'

const ACTION = 'list files'

/** The options of `files()`. */
export interface FilesOptions {
  /**
   * What happens if no file matches. `'error'`: the reader gets a `MillraceError` (`ERR_NO_FILES`). `'empty'`: there is
   * nothing to read. Default: `'error'`.
   */
  onNone?: 'error' | 'empty' | undefined
}

/**
 * The paths of the files that match globs, sorted by code unit (so `B` comes before `a`, and `10` before `9`). Pass it
 * to `lines()`, `csv()` and the other sources of bytes, which read the files one after the other. As the source of a
 * stage, or in a loop, it gives the paths.
 *
 * The folders are read when the first path is asked for, in each loop anew. All paths are then in memory. `*` and `?`
 * match within a name, `**` matches folders, `{a,b}` and `[ab]` choose, and `!` before a glob leaves its files out.
 * Write `/` between folders, also on Windows, and `\` before a character that is to stand for itself. Case counts on all
 * systems. Names that begin with a dot only match a glob that has the dot. Links are followed. A glob that is not
 * absolute gives paths that are not, from the working directory on. A file that several globs match is given once.
 *
 * @param globs A glob, or an array of them: at least one, and one that does not begin with `!`.
 * @param options `onNone` (`'error'` or `'empty'`, default `'error'`): what happens if no file matches.
 * @throws `TypeError` or `RangeError` at the call, for bad globs or options. When paths are asked for: a `MillraceError`
 * (`ERR_NO_FILES`) if no file matches. An error of the system, with `path`, if a folder cannot be read. A `TypeError`
 * (`ERR_INVALID_SOURCE`) if a name is not valid UTF-8, as such a file cannot be opened by its path.
 * @example
 * ```ts
 * import { mkdtemp, writeFile } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { basename, join } from 'node:path'
 * import { files, lines } from 'millrace'
 *
 * const folder = await mkdtemp(join(tmpdir(), 'logs-'))
 * await writeFile(join(folder, 'a.log'), 'one\n')
 * await writeFile(join(folder, 'b.log'), 'two\n')
 *
 * for await (const path of files(`${folder}/*.log`)) console.log(basename(path))
 * // → a.log
 * // → b.log
 * for await (const line of lines(files(`${folder}/*.log`))) console.log(line)
 * // → one
 * // → two
 * ```
 */
export function files(globs: string | readonly string[], options?: FilesOptions): Files {
  const all = checkedGlobs(globs)
  const read = new OptionReader<FilesOptions>(ACTION, options, ['onNone'])
  return new FileList(all, read.oneOf('onNone', ['error', 'empty']) ?? 'error')
}

class FileList implements Files {
  static {
    showState(this.prototype, ({ globs }) => ({ globs }), 'Files')
  }

  readonly globs: readonly string[]
  readonly #onNone: 'error' | 'empty'

  constructor(globs: readonly string[], onNone: 'error' | 'empty') {
    this.globs = globs
    this.#onNone = onNone
    const point = new ListPoint({
      name: 'the list of files()',
      plan: { kind: 'files', globs, onNone },
      values: () => this.#list(),
    })
    offerPaths(this, () => this.#list())
    offerResume(this, point)
    offerBatches(this, () => point.open() ?? new PathBatches(() => this.#list()))
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, undefined, undefined> {
    yield* await this.#list()
  }

  async #list(): Promise<readonly string[]> {
    const paths = await matchingPaths(this.globs)
    if (paths.length === 0 && this.#onNone === 'error') throw await noFiles(this.globs)
    return paths
  }
}

/** Gives the paths to a stage. */
class PathBatches implements BatchReader {
  readonly #list: () => Promise<readonly string[]>
  #paths: readonly string[] | undefined
  #at = 0
  #isClosed = false

  constructor(list: () => Promise<readonly string[]>) {
    this.#list = list
  }

  async next(max: number): Promise<Items | undefined> {
    const paths = (this.#paths ??= await this.#list())
    if (this.#isClosed || this.#at >= paths.length) return undefined
    const start = this.#at
    this.#at = Math.min(paths.length, start + max)
    return new Items(paths.slice(start, this.#at))
  }

  close(): void {
    this.#isClosed = true
  }
}

function checkedGlobs(globs: unknown): string[] {
  const all: unknown[] = Array.isArray(globs) ? Array.from<unknown>(globs) : [globs]
  const wrong = all.findIndex((glob) => typeof glob !== 'string' || glob === '' || glob.includes('\0'))
  if (wrong >= 0) throw invalidGlobs('be a string, not empty', all[wrong])
  if (all.every((glob) => isNegated(glob as string))) throw invalidGlobs('have one without ! before it', globs)
  return all as string[]
}

function invalidGlobs(expected: string, given: unknown): TypeError {
  const subject = expected.startsWith('be') ? 'each glob' : 'the globs'
  return typeError(
    'ERR_INVALID_ARGUMENTS',
    `Cannot ${ACTION} as ${subject} must ${expected}: received ${received(given)}`,
  )
}

/** As the package reads it: `!(a|b)` is another pattern. */
function isNegated(glob: string): boolean {
  return glob.startsWith('!') && !glob.startsWith('!(')
}

type Glob = (globs: readonly string[], options: Omit<GlobOptions, 'patterns'>) => Promise<string[]>

/** Loaded when it is needed, so that importing this library takes no longer. */
function loadGlob(): Glob {
  const { glob } = createRequire(import.meta.url)('tinyglobby') as { readonly glob: Glob }
  return glob
}

async function matchingPaths(globs: readonly string[]): Promise<readonly string[]> {
  const glob = loadGlob()
  const negated = globs.filter(isNegated).map((pattern) => escapeLineEnds(pattern.slice(1)))
  // These stand for all folders, not only for those below the working directory.
  const everywhere = negated.filter((pattern) => pattern.startsWith('**/'))
  const root = parse(process.cwd()).root.replaceAll('\\', '/')
  const ignore = [...negated, ...everywhere.map((pattern) => root + pattern)]
  const wanted = globs.filter((pattern) => !isNegated(pattern)).map(escapeLineEnds)
  const names = new NameReader()
  const search = async (patterns: readonly string[], absolute: boolean): Promise<string[]> =>
    patterns.length === 0
      ? []
      : glob(patterns, {
          absolute,
          ignore,
          fs: names.fs,
          dot: false,
          // A folder is not all files in it.
          expandDirectories: false,
          caseSensitiveMatch: true,
          followSymbolicLinks: true,
          onlyFiles: true,
        })
  // By file, so that none is given twice.
  const found = new Map<string, string>()
  const relative = await search(
    wanted.filter((pattern) => !isAbsolute(pattern)),
    false,
  )
  const absolute = await search(
    wanted.filter((pattern) => isAbsolute(pattern)),
    true,
  )
  if (names.error !== undefined) throw names.error
  if (names.unnamed !== undefined) throw invalidName(names.unnamed)
  for (const path of [...absolute, ...relative].map(unescapeLineEnds)) found.set(resolve(path), path)
  const paths = [...found.values()].sort()
  for (const path of paths) if (mayBeOtherBytes(path) && !(await exists(path))) throw invalidName(path)
  return paths
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch {
    return false
  }
}

function invalidName(path: string): TypeError {
  return typeError(
    'ERR_INVALID_SOURCE',
    `Cannot ${ACTION} as their names must be valid UTF-8: received ${received(path)} (rename it, or leave it out: '!GLOB')`,
  )
}

async function noFiles(globs: readonly string[]): Promise<MillraceError> {
  const cures = [`in the working directory ${process.cwd()}`]
  if (globs.every((glob) => isAbsolute(glob) || isNegated(glob))) cures.pop()
  const folder = await firstFolder(globs)
  if (folder !== undefined)
    cures.push(`${received(folder)} is a folder: for its files, write ${received(`${folder.replace(/\/$/, '')}/*`)}`)
  else if (process.platform === 'win32' && globs.some((glob) => glob.includes('\\')))
    cures.push('write / between folders')
  cures.push("to allow none: onNone: 'empty'")
  return new MillraceError(
    `Cannot ${ACTION} as at least one must match: received ${globs.map(received).join(', ')} (${cures.join('; ')})`,
    'ERR_NO_FILES',
  )
}

async function firstFolder(globs: readonly string[]): Promise<string | undefined> {
  for (const glob of globs) {
    const stats = await stat(glob).catch(() => undefined)
    if (stats?.isDirectory() === true) return glob
  }
  return undefined
}
