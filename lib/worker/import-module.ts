/**
 * Loads a task's module as the program has loaded it: by `import()` or by `require()`. The latter is for programs whose
 * modules are compiled by a CommonJS hook (ts-node, swc-node, esbuild-register). `import()` does not use such hooks.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TaskLoadError } from '../errors.js'
import type { TaskName } from '../task.js'

/** The cure for a module in TypeScript begins so. The command line has another one. */
export const LOADERS = '. Workers have the loaders'
/** Files that only compilers read. */
const COMPILED = /\.(?:ts|cts|tsx|jsx)$/

export async function importModule({ id, module }: TaskName): Promise<object> {
  try {
    const required = requireCompiled(module)
    if (required !== undefined) return required
    return (await import(module)) as object
  } catch (error) {
    const { code } = (error ?? {}) as { code?: unknown }
    // `import()` takes no such URL, and in Jest's default mode no URL at all: nothing of the module has run.
    const isRefused =
      code === 'ERR_INVALID_MODULE_SPECIFIER' || String(code).startsWith('ERR_VM_DYNAMIC_IMPORT_CALLBACK')
    if (!isRefused || module.startsWith('data:')) throw loadError(id, module, error)
    try {
      return requireModule(module)
    } catch (cause) {
      throw loadError(id, module, cause)
    }
  }
}

/**
 * The module by `require()`, if a hook compiles such files and the module is CommonJS. Otherwise undefined, and then
 * nothing of it has run. This comes first, because a module that fails halfway in `import()` would run twice.
 */
function requireCompiled(module: string): object | undefined {
  if (!module.startsWith('file:') || !COMPILED.test(new URL(module).pathname)) return undefined
  const path = fileURLToPath(module)
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- this is where such hooks are
  const hook = createRequire(path).extensions[extname(path)] as ((...args: never[]) => unknown) | undefined
  // Node's own takes the types out, which `import()` does as well.
  if (hook === undefined || /^load[A-Z]+$/.test(hook.name) || !isCommonJS(path)) return undefined
  try {
    return requireModule(module)
  } catch (error) {
    if (/^ERR_REQUIRE_(?:ESM|ASYNC_MODULE)$/.test(String((error as { code?: unknown } | null)?.code))) return undefined
    throw error
  }
}

/** The module as `import()` gives a CommonJS module. */
function requireModule(module: string): { readonly default: unknown } {
  if (!module.startsWith('file:')) return { default: createRequire(join(process.cwd(), 'x.js'))(module) }
  const path = fileURLToPath(module)
  return { default: createRequire(path)(path) }
}

/** Whether Node takes a file to be CommonJS, or leaves it open. */
function isCommonJS(path: string): boolean {
  if (path.endsWith('.cts')) return true
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { type?: unknown }).type !== 'module'
    if (folder === dirname(folder)) return true
  }
}

function loadError(id: string, module: string, cause: unknown): TaskLoadError {
  const { code, message } = (typeof cause === 'object' && cause !== null ? cause : {}) as Partial<
    Record<string, unknown>
  >
  const reason = typeof message === 'string' ? message : String(cause)
  const text = `Cannot run task '${id}' as its module ${module} does not load in a worker: ${reason}${cureOf(module, code, reason)}`
  return new TaskLoadError(text, { cause })
}

/** The cure where Node does not find the file, or cannot load TypeScript by itself. */
function cureOf(module: string, code: unknown, reason: string): string {
  if (code === 'ERR_MODULE_NOT_FOUND' && module.startsWith('file:') && !existsSync(new URL(module))) {
    return (
      '. There is no such file: if a bundler replaces import.meta.url by the path of a source, ' +
      'turn that off (webpack: module.parser.javascript.importMeta: false)'
    )
  }
  if (!/\.[cm]?tsx?$/.test(module)) return ''
  const isUnreadable =
    code === 'ERR_UNKNOWN_FILE_EXTENSION' ||
    code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' ||
    /in ES module scope|^Cannot use import statement|strip-only mode/.test(reason) ||
    (code === 'ERR_MODULE_NOT_FOUND' && !/^Cannot find package '[^@.]/.test(reason))
  if (!isUnreadable) return ''
  const tsx = process.version.startsWith('v20.')
    ? "node --import ./register.mjs, a file that calls register() from 'tsx/esm/api'"
    : 'node --import tsx'
  return (
    `${LOADERS} that Node itself was started with: compile the module, or start the program with ` +
    `${tsx}, node -r ts-node/register or node -r @swc-node/register, or pass these flags to a Pool as execArgv`
  )
}
