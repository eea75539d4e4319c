// @ts-check
/**
 * Makes what is published of the compiled modules of dist/.
 *
 * The implementation is CommonJS: what a program imports (index.cjs, multiprocessing/index.cjs), what a module of tasks needs
 * (task-module.cjs), what a worker starts with (worker/main.cjs), and what these have in common (shared-*.cjs). Tools that do not
 * `require()` ES modules, such as Jest and tsx, can load it. It holds the parts of packages that are ES modules only. A .js file
 * beside each public .cjs file loads it for `import`, so one copy, and one state, serves both.
 *
 * The declarations are those of the CommonJS files (*.d.cts), for the same reason; the .d.ts files of public modules export theirs.
 *
 * The single modules stay, for the tests of internal ones; they are not published.
 */
import { createRequire } from 'node:module'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, posix, relative, resolve } from 'node:path'
import { build } from 'esbuild'
import { asCommonJS, MODULE_URL } from './commonjs.js'
import { face } from './face.js'

process.chdir(resolve(import.meta.dirname, '..'))

const require = createRequire(import.meta.url)

/** The modules with the public names. */
const PUBLIC = ['index', 'multiprocessing/index', 'task-module']
/** Packages that are ES modules only: their types become part of the declarations, as their code becomes part of the implementation. */
const TYPED = ['it-pipe', 'it-stream-types']

for (const file of filesOf('dist')) if (/\.cjs(\.map)?$|\.d\.cts(\.map)?$/.test(file)) rmSync(file)
await makeImplementation()
for (const name of PUBLIC) {
  const names = Object.keys(require(resolve(`dist/${name}.cjs`)))
  rmSync(`dist/${name}.js.map`, { force: true })
  writeFileSync(`dist/${name}.js`, await face(`./${posix.basename(name)}.cjs`, names))
}
makeDeclarations()

async function makeImplementation() {
  const { outputFiles, metafile, warnings } = await build({
    entryPoints: [...PUBLIC.map((name) => `dist/${name}.js`), 'dist/worker/main.js'],
    outdir: 'dist',
    bundle: true,
    splitting: true,
    chunkNames: 'shared-[hash]',
    external: ['threads'],
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    define: { 'import.meta.url': MODULE_URL },
    // What package.json says of effects is of the files that are published, not of the single modules.
    ignoreAnnotations: true,
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
  })
  if (warnings.length > 0) throw new Error('Cannot make the implementation as esbuild has warnings: see above')
  for (const { path, text } of outputFiles) {
    const renamed = path.replace(/\.js(\.map)?$/, '.cjs$1')
    writeFileSync(
      renamed,
      path.endsWith('.map') ? text : asCommonJS(text).replace(/(sourceMappingURL=.*)\.js\.map/, '$1.cjs.map'),
    )
  }
  writeLicences(Object.keys(metafile.inputs))
}

/** Their licences ask that their texts go along with the code. @param {string[]} files that are part of the implementation */
function writeLicences(files) {
  const packages = new Set(
    files.map((file) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]).filter((path) => path !== undefined),
  )
  const texts = Array.from(packages, (path) => {
    const { name, version, license } = JSON.parse(readFileSync(`${path}/package.json`, 'utf8'))
    const own = readdirSync(path).filter((file) => /^licen[cs]e/i.test(file))
    return [`${name} ${version}: ${license}`, ...own.map((file) => readFileSync(join(path, file), 'utf8').trim())].join(
      '\n\n',
    )
  })
  writeFileSync(
    'dist/licences.txt',
    `Packages that are part of the files beside this one.\n\n${texts.join('\n\n---\n\n')}\n`,
  )
}

function makeDeclarations() {
  for (const file of filesOf('dist')) {
    if (!file.endsWith('.d.ts')) continue
    const to = file.replace(/ts$/, 'cts')
    const shift = writeCommonJS(file, to) ? ';' : ''
    const map = readFileSync(`${file}.map`, 'utf8').replace(/("file":"[^"]*)\.d\.ts"/, '$1.d.cts"')
    writeFileSync(`${to}.map`, map.replace('"mappings":"', `"mappings":"${shift}`))
  }
  for (const name of TYPED) writeCommonJS(`node_modules/${name}/dist/src/index.d.ts`, `dist/packages/${name}.d.cts`)
  for (const name of PUBLIC) {
    rmSync(`dist/${name}.d.ts.map`)
    writeFileSync(`dist/${name}.d.ts`, `export * from './${posix.basename(name)}.cjs'\n`)
  }
}

/**
 * Writes a declaration file as one of a CommonJS module.
 *
 * @param {string} from @param {string} to @returns {boolean} whether it has a line more
 */
function writeCommonJS(from, to) {
  const isPublic = PUBLIC.some((name) => to === `dist/${name}.d.cts`)
  const text = readFileSync(from, 'utf8')
    .replace(/(\bfrom |\bimport\()(['"])([^'"]+)\2/g, (_, before, quote, name) => {
      const path = TYPED.includes(name)
        ? relativePath(to, `dist/packages/${name}.cjs`)
        : name.replace(/^(\..*)\.js$/, '$1.cjs')
      return `${before}${quote}${path}${quote}`
    })
    .replace(/^(\/\/# sourceMappingURL=.*)\.d\.ts\.map/m, '$1.d.cts.map')
  mkdirSync(dirname(to), { recursive: true })
  // From version 6 on, TypeScript looks for no types of packages that are not named.
  writeFileSync(to, isPublic ? `/// <reference types="node" />\n${text}` : text)
  return isPublic
}

/** @param {string} file @param {string} target */
function relativePath(file, target) {
  return `./${posix.relative(posix.dirname(file), target)}`.replace(/^\.\/\.\./, '..')
}

/** @param {string} folder @returns {string[]} */
function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(relative('.', entry.parentPath), entry.name))
}
