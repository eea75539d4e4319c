// @ts-check
/**
 * Rewrites modules that esbuild has written as ES modules to CommonJS, line by line, so that their source maps stay right. esbuild
 * itself splits no CommonJS into files that share code; and names that are destructured are as fast to use as local ones.
 */
import { Script } from 'node:vm'

const IMPORT = /^import (?:([\w$]+)(?:, )?)?(?:\* as ([\w$]+) )?(\{[^}]*\})?(?: ?from )?"([^"]+)";$/gm
const EXPORT = /^export \{([^}]*)\};$/m
const DYNAMIC_IMPORT = /\bimport\("(\.[^"]+)"\)/g
/** What `import.meta.url` is compiled to. */
export const MODULE_URL = '__moduleUrl'
/** Bundlers may leave no `__filename`. */
const FILE_URL = 'typeof __filename === "string" ? require("node:url").pathToFileURL(__filename).href : undefined'

/** @param {string} code an ES module, as esbuild writes it */
export function asCommonJS(code) {
  const rewritten = code
    .replace(IMPORT, (_, whole, namespace, names, from) => {
      const required = `require(${JSON.stringify(from.replace(/^(\..*)\.js$/, '$1.cjs'))})`
      const targets = [whole, namespace, names?.replace(/ as /g, ': ')].filter((target) => target !== undefined)
      if (targets.length === 0) return `${required};`
      return targets.map((target) => `const ${target} = ${required};`).join(' ')
    })
    .replace(EXPORT, (_, names) => `module.exports = {${names.replace(/([\w$]+) as ([\w$]+)/g, '$2: $1')}};`)
    .replace(DYNAMIC_IMPORT, (_, from) => {
      return `Promise.resolve().then(() => require(${JSON.stringify(from.replace(/\.js$/, '.cjs'))}))`
    })
  // Fails if anything is left that only an ES module may have.
  new Script(`(function () {${rewritten}\n})`)
  const url = rewritten.includes(MODULE_URL) ? ` const ${MODULE_URL} = ${FILE_URL};` : ''
  return `"use strict";${url} ${rewritten}`
}
