// @ts-check
/** Writes an ES module that exports what a CommonJS file beside it exports. */
import { build } from 'esbuild'

/**
 * Bundlers do not follow `createRequire()`. If a bundler has copied this module, its file is missing, and the error can
 * say so.
 *
 * @param {string} file the CommonJS file, relative to dist/ @param {readonly string[]} names what it exports
 * @returns {Promise<string>}
 */
export async function face(file, names) {
  const { outputFiles } = await build({
    stdin: { contents: source(file, names), resolveDir: 'dist' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    write: false,
    logLevel: 'warning',
  })
  const [output] = outputFiles
  if (output === undefined) throw new Error(`Cannot write the ES module for ${file} as esbuild gave nothing`)
  return output.text
}

/** @param {string} file @param {readonly string[]} names */
function source(file, names) {
  return `
import { createRequire } from 'node:module'
import { bundledError } from './bundled.js'

function exported() {
  const { url } = import.meta
  if (typeof url !== 'string') throw bundledError()
  const load = createRequire(url)
  // webpack puts undefined in its place.
  if (typeof load !== 'function') throw bundledError()
  try {
    return load('${file}')
  } catch (error) {
    if (error?.code !== 'MODULE_NOT_FOUND' || !error.message.includes('${file}')) throw error
    throw bundledError(error)
  }
}

export const { ${names.join(', ')} } = exported()
`
}
