// @ts-check
/**
 * Rewrites ES modules of esbuild to CommonJS, line by line, so that their source maps stay correct. By itself, esbuild
 * cannot split CommonJS into files that share code. Destructured names are as fast as local ones.
 */
import { Script } from 'node:vm'

const IMPORT = /^import (?:([\w$]+)(?:, )?)?(?:\* as ([\w$]+) )?(\{[^}]*\})?(?: ?from )?"([^"]+)";$/gm
const EXPORT = /^export \{([^}]*)\};$/m
const DYNAMIC_IMPORT = /\bimport\("(\.[^"]+)"\)/g
/** The compiled form of `import.meta.url`. */
export const MODULE_URL = '__moduleUrl'
/** Some bundlers remove `__filename`. */
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
  // Fails if syntax is left that only an ES module can have.
  new Script(`(function () {${rewritten}\n})`)
  const url = rewritten.includes(MODULE_URL) ? ` const ${MODULE_URL} = ${FILE_URL};` : ''
  return `"use strict";${url} ${rewritten}`
}
