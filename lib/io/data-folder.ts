/**
 * Folders that a host of a cluster names, by `--data`: the only ones below which it reads files that items name. The
 * names are in the environment, from which worker processes have them.
 */
import { constants, realpathSync } from 'node:fs'
import { open, realpath, type FileHandle } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { MillraceError, received } from '../errors.js'

/** Set on hosts alone. */
const VARIABLE = 'MILLRACE_DATA_FOLDERS'
const NAME_FORM = /^[a-z0-9-]{1,32}$/
/** A named pipe must not make it wait for a writer, and a link that was put there last is not followed. Windows has neither flag. */
const {
  O_RDONLY,
  O_NONBLOCK = 0,
  O_NOFOLLOW = 0,
} = constants as Pick<typeof constants, 'O_RDONLY'> & Partial<typeof constants>

export function isFolderName(text: string): boolean {
  return NAME_FORM.test(text)
}

/** From now on this process, and those that it starts, read files of items only below these folders. @throws an error of the system */
export function setDataFolders(folders: ReadonlyMap<string, string>): void {
  const real = [...folders].map(([name, folder]) => [name, realpathSync(folder)])
  process.env[VARIABLE] = JSON.stringify(real)
}

/** The path from a folder to a file in it, with `/` between names. Undefined: it is not in the folder. */
export function pathInFolder(folder: string, file: string): string | undefined {
  const path = relative(resolve(folder), resolve(file))
  const isOutside = path === '' || path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path)
  return isOutside ? undefined : path.split(sep).join('/')
}

/**
 * Opens a file to read it.
 *
 * @param path Below the folder `name`, with `/` between names. Without `name`: any path, but not on a host.
 * @throws MillraceError `ERR_DATA_FOLDER`: it may not be read here. Errors of the system.
 */
export async function openDataFile(path: string, name: string | undefined): Promise<FileHandle> {
  const folders = foldersHere()
  if (folders === undefined && name === undefined) return await open(path, O_RDONLY | O_NONBLOCK)
  if (name === undefined) {
    throw refused(path, "a host only reads files below folders that it names: use the option 'data' of blocks()")
  }
  const folder = folders?.get(name)
  if (folder === undefined) {
    const known = [...(folders?.keys() ?? [])].join(', ') || 'none'
    throw refused(path, `there is no folder '${name}' here: a host names it with --data ${name}=DIR (it has ${known})`)
  }
  if (!isPlain(path)) throw refused(path, `it is not a path below the folder '${name}'`)
  const real = await realpath(join(folder, path))
  if (pathInFolder(folder, real) === undefined) throw refused(path, `a link leads out of the folder '${name}'`)
  return await open(real, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
}

/** Undefined: this is not a host. */
function foldersHere(): ReadonlyMap<string, string> | undefined {
  const text = process.env[VARIABLE]
  return text === undefined ? undefined : new Map(JSON.parse(text) as [string, string][])
}

/** Only names of files and folders. Windows knows other signs that lead elsewhere. */
function isPlain(path: string): boolean {
  const names = path.split('/')
  const other = process.platform === 'win32' ? /[\\:\0]/ : /\0/
  return !other.test(path) && names.every((name) => name !== '' && name !== '.' && name !== '..')
}

function refused(path: string, why: string): MillraceError {
  return new MillraceError(`Cannot read ${received(path)} as ${why}`, 'ERR_DATA_FOLDER')
}
