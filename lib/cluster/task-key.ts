/**
 * The identity of a module of tasks: `key@version`. No code travels: a producer names the module, and a host runs it if
 * it offers the same. `key` is the name of the package and the path of the file in it; `version` is given, or says what
 * is in the file.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { attempt, typeError } from '../errors.js'
import { FORMAT } from '../wire/format.js'

/** In hex digits. */
const HASH_LENGTH = 16
const MAX_FILE_NAME = 32

/**
 * @param module The URL of a module: a file, or a module of Node.
 * @param version Of the deployment, such as the id of a commit. Default: a hash of the file, which does not cover what
 *   the file imports.
 * @param key Instead of the package and the path.
 * @throws TypeError `ERR_INVALID_TASK`: the module is no file, or cannot be read.
 */
export function taskKey(module: string, version?: string, key?: string): string {
  if (module.startsWith('node:')) return `${key ?? module}@${version ?? 'node'}`
  const path = attempt(() => fileURLToPath(module))
  const name = key ?? (path && keyOf(path))
  const revision = version ?? hashOfFile(path)
  if (name !== undefined && revision !== undefined) return `${name}@${revision}`
  throw typeError(
    'ERR_INVALID_TASK',
    `Cannot name a task for other machines as its module must be a file that can be read: received ${module}`,
  )
}

function hashOfFile(path = ''): string | undefined {
  const content = attempt(() => readFileSync(path))
  return content && hashOf(content)
}

/** The name of the nearest package, and the path from there. */
function keyOf(path: string): string {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const name = packageName(join(folder, 'package.json'))
    const isTop = dirname(folder) === folder
    if (name !== undefined || isTop) return [name ?? '', ...relative(folder, path).split(sep)].join('/')
  }
}

/** A file without a name, as in `{ "type": "module" }`, is not the package. */
function packageName(path: string): string | undefined {
  const { name } = Object(attempt(() => JSON.parse(readFileSync(path, 'utf8')) as unknown)) as { name?: unknown }
  return typeof name === 'string' ? name : undefined
}

/** The name of a module version in subjects. Hosts of another wire format have other names, and get no units of this one. */
export function moduleName(taskKey: string): string {
  const key = taskKey.slice(0, taskKey.lastIndexOf('@'))
  const file = basename(key)
    .replace(/[^\w-]/g, '_')
    .slice(0, MAX_FILE_NAME)
  return `${file}-${hashOf(`${FORMAT} ${taskKey}`)}`
}

function hashOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex').slice(0, HASH_LENGTH)
}
