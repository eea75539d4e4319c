/** Modules that a command line names: their URLs as seen from the current folder, and what they export. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { importModule } from '../../worker/import-module.js'
import { UsageError } from '../usage-error.js'

/** The URL of a module: a path from the current folder on, a package there, or a module of Node. @throws UsageError */
export function moduleUrl(option: string, module: string): string {
  if (/^(?:file|data):/.test(module)) return module
  if (isBuiltin(module)) return module.startsWith('node:') ? module : `node:${module}`
  if (isAbsolute(module) || /^\.{1,2}(?:\/|\\|$)/.test(module)) {
    const path = resolve(module)
    if (existsSync(path)) return pathToFileURL(path).href
    throw new UsageError(`${option}: there is no file '${module}'${nearFile(module)}`)
  }
  const url = packageUrl(option, module)
  if (url !== undefined) return url
  const cure = existsSync(module) ? ` (for the file here: './${module}')` : expressionCure(option, module)
  throw new UsageError(`${option}: there is no package '${module}' that can be imported from here${cure}`)
}

const SUFFIXES = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '/index.js']

/** The cure where a suffix was left out, or what is exported stands behind another character than `#`. */
function nearFile(module: string): string {
  const suffix = SUFFIXES.find((one) => existsSync(`${module}${one}`))
  if (suffix !== undefined) return `: did you mean '${module}${suffix}'?`
  const [, file = '', exported = ''] = /^(.+)[:@]([\p{ID_Start}$_][\p{ID_Continue}$]*)$/u.exec(module) ?? []
  return exported !== '' && existsSync(file) ? `: did you mean '${file}#${exported}'?` : ''
}

const EXPRESSION_OPTIONS: Readonly<Record<string, string>> = { '--map': '-e', '--filter': '-w', '--flat-map': '-E' }

/** The cure for what is rather an expression: it uses `d`. */
function expressionCure(option: string, module: string): string {
  const other = EXPRESSION_OPTIONS[option]
  return other !== undefined && /(?:^|[^\w$.])d(?:\?\.|\.|\[|\s*[=<>+*])/.test(module)
    ? ` (for an expression: ${other} '${module}')`
    : ''
}

function packageUrl(option: string, name: string): string | undefined {
  const from = join(process.cwd(), 'package.json')
  try {
    return pathToFileURL(createRequire(from).resolve(name)).href
  } catch {
    // It has no such name, or only one for `import`.
    return importedUrl(option, name)
  }
}

/** The file of a package that can only be imported: Node resolves such names for the module that contains `import()` alone. */
function importedUrl(option: string, specifier: string): string | undefined {
  const [, name = '', rest = ''] = /^((?:@[^/]+\/)?[^/]+)(.*)$/.exec(specifier) ?? []
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const root = join(folder, 'node_modules', name)
    const description = join(root, 'package.json')
    if (existsSync(description)) {
      const { exports } = read(option, description)
      const target = targetOf(exports, `.${rest}`)
      return target === undefined ? undefined : pathToFileURL(join(root, target)).href
    }
    if (folder === dirname(folder)) return undefined
  }
}

function read(option: string, description: string): { readonly exports?: unknown } {
  try {
    return Object(JSON.parse(readFileSync(description, 'utf8'))) as { exports?: unknown }
  } catch (cause) {
    throw new UsageError(`${option}: ${description} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

const CONDITIONS = new Set(['node', 'import', 'module-sync', 'default'])

/** What `exports` of a package says about one of its names: a path in the package. Patterns are left to `require()`. */
function targetOf(exports: unknown, name: string): string | undefined {
  if (typeof exports === 'string') return name === '.' ? exports : undefined
  if (typeof exports !== 'object' || exports === null) return undefined
  const entries = Object.entries(exports)
  const hasNames = entries.some(([key]) => key.startsWith('.'))
  return conditional(hasNames ? (exports as Record<string, unknown>)[name] : name === '.' ? exports : undefined)
}

function conditional(target: unknown): string | undefined {
  if (typeof target === 'string') return target
  if (typeof target !== 'object' || target === null) return undefined
  for (const [condition, value] of Object.entries(target)) {
    const found = CONDITIONS.has(condition) ? conditional(value) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/** What expressions see of a module: its exports, or what a CommonJS module exports as a whole. */
export async function importForExpressions(name: string, url: string): Promise<unknown> {
  const namespace = (await importModule({ id: name, module: url, exported: true })) as Record<string, unknown>
  const { default: whole } = namespace
  const names = Object.keys(namespace).filter((key) => key !== 'default' && key !== 'module.exports')
  // Node sees only some exports of a CommonJS module as names.
  const isWhole =
    whole !== undefined && whole !== null && names.every((key) => Reflect.get(Object(whole), key) === namespace[key])
  return isWhole ? whole : namespace
}

/** A value that a module exports, also as a property of what a CommonJS module exports as a whole. */
export async function importExport(url: string, exported: string): Promise<unknown> {
  const namespace = (await importModule({ id: exported, module: url, exported: true })) as Record<string, unknown>
  const { default: whole } = namespace
  if (Object.hasOwn(namespace, exported) && (exported !== 'default' || !isNested(whole))) return namespace[exported]
  return typeof whole === 'object' && whole !== null ? Reflect.get(whole, exported) : undefined
}

/** Whether the default export of a CommonJS module has one itself, as a compiler writes `export default`. */
function isNested(whole: unknown): boolean {
  return typeof whole === 'object' && whole !== null && '__esModule' in whole && 'default' in whole
}
