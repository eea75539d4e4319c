// @ts-check
/**
 * Rewrites ES modules of esbuild to CommonJS, line by line, so that their source maps stay correct. By itself, esbuild
 * cannot split CommonJS into files that share code. Destructured names are as fast as local ones.
 */
import { Script } from 'node:vm'

const IMPORT = /^import (?:([\w$]+)(?:, )?)?(?:\* as ([\w$]+) )?(\{[^}]*\})?(?: ?from )?"([^"]+)";$/gm
const EXPORT = /^export \{([^}]*)\};$/m
const DYNAMIC_IMPORT = /\bimport\("(\.[^"]+)"\)/g
/** How esbuild writes the import of a module of Node in CommonJS. */
const NODE_IMPORT = /\b(import_node_\w+)=(__toESM\(require\("node:[^"]+"\)(?:,1)?\)|require\("node:[^"]+"\))/g
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

/**
 * Lets CommonJS of esbuild load modules of Node when they are used, and not when it begins. Relative `import()` becomes
 * `require()`, as above.
 *
 * @param {string} code
 */
export function withLateModules(code) {
  const rewritten = code
    .replace(NODE_IMPORT, (_, name, load) => `\0${name}=()=>${load}`)
    .replace(/\bnew (import_node_\w+)\.(\w+)/g, 'new (\0$1().$2)')
    .replace(/(\0?)\b(import_node_\w+)\b/g, (_, mark, name) => (mark === '' ? `${name}()` : name))
    .replace(DYNAMIC_IMPORT, (_, from) => `Promise.resolve().then(()=>require(${JSON.stringify(from)}))`)
  const url = rewritten.includes(MODULE_URL) ? `const ${MODULE_URL} = ${FILE_URL};` : ''
  return `"use strict";${url}${rewritten}`
}
