// @ts-check
/**
 * Reads the recipes of docs/toolchains.md: code blocks after a mark. `<!-- toolchain: NAME -->` is for commands, one a
 * line, and `<!-- toolchain: NAME FILE -->` for a file of the project.
 */
import { readFileSync } from 'node:fs'

/** @typedef {{ commands: string[], files: Record<string, string> }} Recipe */

/** @param {string} path @returns {Map<string, Recipe>} */
export function recipes(path) {
  const page = readFileSync(path, 'utf8')
  /** @type {Map<string, Recipe>} */
  const found = new Map()
  const marks = page.match(/<!-- toolchain:/g)?.length ?? 0
  let read = 0
  for (const [, names = '', file, code = ''] of page.matchAll(
    /<!-- toolchain: ([\w.,-]+)(?: (\S+))? -->\n+```\w*\n([^]*?)```/g,
  )) {
    read++
    for (const name of names.split(',')) {
      const recipe = found.get(name) ?? { commands: [], files: {} }
      found.set(name, recipe)
      if (file === undefined) recipe.commands.push(...code.split('\n').filter((line) => line !== ''))
      else recipe.files[file] = code
    }
  }
  if (read !== marks)
    throw new Error(`Cannot read ${path}: ${marks - read} of its toolchain marks have no code block behind them`)
  return found
}
