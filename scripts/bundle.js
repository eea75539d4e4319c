// @ts-check
/**
 * Makes the published files from the compiled modules of dist/.
 *
 * The implementation is CommonJS. Programs import index.cjs, multiprocessing/index.cjs and nats/index.cjs; modules of
 * tasks import task-module.cjs. Workers start with worker/main.cjs. The common parts are in shared-*.cjs. Tools that do not
 * `require()` ES modules, such as Jest and tsx, can load it. It contains the used parts of packages that exist only as
 * ES modules. A .js file beside each public .cjs file loads it for `import`, so one copy, and one state, serves both.
 *
 * For the same reason, the declarations are those of the CommonJS files (*.d.cts). The .d.ts files of public modules
 * export theirs. All types are in one file, types.d.cts. Of internal modules it has only the types that public types
 * name.
 *
 * The single modules stay, with their declarations, for the tests of internal modules. They are not published.
 */
import { createRequire } from 'node:module'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, posix, relative, resolve } from 'node:path'
import { build } from 'esbuild'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import { asCommonJS, MODULE_URL, withLateModules } from './commonjs.js'
import { face } from './face.js'

process.chdir(resolve(import.meta.dirname, '..'))

const require = createRequire(import.meta.url)

/** The modules with the public names. */
const PUBLIC = ['index', 'multiprocessing/index', 'nats/index', 'task-module']
/**
 * Packages that exist only as ES modules. Their code becomes part of the implementation, and their types part of the
 * declarations.
 */
const TYPED = ['it-pipe', 'it-stream-types']
/** The files of this package are part of the page of a report. */
const UPLOT = 'node_modules/uplot'
/** By module, what the build puts into it. @type {Record<string, Record<string, () => string>>} */
const PUT_IN = {
  'dist/version.js': {
    MILLRACE_VERSION: () => JSON.parse(readFileSync('package.json', 'utf8')).version,
  },
  'dist/progress/report/uplot.js': {
    UPLOT_SCRIPT: () => readFileSync(`${UPLOT}/dist/uPlot.iife.min.js`, 'utf8').trim(),
    UPLOT_STYLE: () => readFileSync(`${UPLOT}/dist/uPlot.min.css`, 'utf8').trim(),
    UPLOT_LICENCE: () => readFileSync(`${UPLOT}/LICENSE`, 'utf8').trim(),
  },
}
const WORKER = 'dist/worker/main.js'
/** The programs of worker processes and of a `Process`, and of the thread in each that watches its parent. */
const CHILD = ['dist/worker/child-main.js', 'dist/worker/process-main.js', 'dist/worker/parent-watch.js']
/** The program `millrace`. It is one file by itself, which has all that a run over small files needs. */
const CLI = 'dist/cli/main.js'
/** What the program loads for other runs, and for texts. */
const CLI_LATE = ['dist/cli/commands.js', 'dist/cli/run/run.js', 'dist/cli/arguments/show.js']
/** The tasks of its workers. */
const STAGES = 'dist/cli/run/stages.js'
/** What reads Parquet: loaded with the first file. */
const PARQUET = 'dist/parquet/reading.js'
/** The entry points of dynamic imports that need the common parts. */
const LATE = ['dist/multiprocessing/kinds.js', PARQUET, 'dist/cli/commands.js', 'dist/cli/run/run.js']
/** @satisfies {import('esbuild').BuildOptions} */
const IMPLEMENTATION = {
  bundle: true,
  external: [
    'threads',
    'tinyglobby',
    'fzstd',
    'hyparquet',
    'hyparquet-compressors',
    'hyparquet-writer',
    '@nats-io/transport-node',
    '@nats-io/jetstream',
  ],
  format: /** @type {const} */ ('esm'),
  platform: /** @type {const} */ ('node'),
  target: 'node20.19',
  // `sideEffects` of package.json is about the published files, not about the single modules.
  ignoreAnnotations: true,
  write: /** @type {const} */ (false),
  logLevel: /** @type {const} */ ('warning'),
}
/**
 * Leaves out modules of which nothing is used. What is imported by `import()` stays a separate file.
 *
 * @type {import('esbuild').Plugin}
 */
const ONLY_USED = {
  name: 'only-used',
  setup(bundle) {
    bundle.onResolve({ filter: /^\.{1,2}\// }, ({ path, kind, resolveDir }) => {
      if (kind === 'dynamic-import') return { path: path.replace(/\.js$/, '.cjs'), external: true }
      return { path: resolve(resolveDir, path), sideEffects: false }
    })
    bundle.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, external: true, sideEffects: false }))
  },
}
/** From version 6 on, TypeScript only loads types of packages that are named. It is one line, which shifts the maps. */
const NODE_TYPES = '/// <reference types="node" />\n'

for (const file of filesOf('dist')) if (/\.cjs(\.map)?$|\.d\.cts(\.map)?$/.test(file)) rmSync(file)
putIn()
await makeImplementation()
/** By public module, the names that it exports at run time. @type {Map<string, readonly string[]>} */
const values = new Map(PUBLIC.map((name) => [name, Object.keys(require(resolve(`dist/${name}.cjs`)))]))
for (const [name, names] of values) {
  rmSync(`dist/${name}.js.map`, { force: true })
  writeFileSync(`dist/${name}.js`, await face(`./${posix.basename(name)}.cjs`, names))
}
await makeDeclarations()

/** Puts texts that are known at the build into compiled modules, in the place of `'%NAME%'`. */
function putIn() {
  for (const [file, texts] of Object.entries(PUT_IN)) {
    let code = readFileSync(file, 'utf8')
    for (const [name, text] of Object.entries(texts)) {
      const [before, after, ...more] = code.split(`'%${name}%'`)
      if (after === undefined || more.length > 0)
        throw new Error(`Cannot put ${name} into ${file}: '%${name}%' must be there once`)
      code = `${before}${JSON.stringify(text())}${after}`
    }
    writeFileSync(file, code)
  }
}

async function makeImplementation() {
  const { outputFiles, metafile, warnings } = await build({
    entryPoints: [...PUBLIC.map((name) => `dist/${name}.js`), WORKER, ...CHILD, ...CLI_LATE, STAGES, PARQUET],
    outdir: 'dist',
    plugins: [await oneCore()],
    ...IMPLEMENTATION,
    splitting: true,
    chunkNames: 'shared-[hash]',
    define: { 'import.meta.url': MODULE_URL },
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
  })
  if (warnings.length > 0) throw new Error('Cannot make the implementation as esbuild has warnings: see above')
  for (const { path, text } of outputFiles) {
    const renamed = path.replace(/\.js(\.map)?$/, '.cjs$1')
    writeFileSync(
      renamed,
      path.endsWith('.map') ? text : asCommonJS(text).replace(/(sourceMappingURL=.*)\.js\.map/, '$1.cjs.map'),
    )
  }
  const program = await makeProgram()
  writeLicences([...Object.keys(metafile.inputs), ...program])
}

/**
 * Makes the program, as one file. It has only what is used of each module, without white space: Node reads all of it at
 * each start. Modules of Node are loaded when they are used.
 *
 * @returns {Promise<string[]>} The modules in it.
 */
async function makeProgram() {
  const { outputFiles, metafile } = await build({
    ...IMPLEMENTATION,
    entryPoints: [CLI],
    outfile: 'dist/cli/main.cjs',
    plugins: [ONLY_USED],
    ignoreAnnotations: false,
    format: 'cjs',
    minifyWhitespace: true,
    minifySyntax: true,
    define: { 'import.meta.url': MODULE_URL },
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
  })
  for (const { path, text } of outputFiles) writeFileSync(path, path.endsWith('.map') ? text : withLateModules(text))
  // The first line must be this, and the other files begin otherwise. Node keeps the compiled code, from version 22.8 on.
  const start = "module.constructor.enableCompileCache?.()\nrequire('./main.cjs')\n"
  writeFileSync('dist/cli/millrace.cjs', `#!/usr/bin/env node\n${start}`, { mode: 0o755 })
  return Object.keys(metafile.inputs)
}

/**
 * By itself, esbuild makes a file of the modules that the same entry points need: six for a worker. With this, all entry
 * points need the modules that the library and its workers share. So these are one file, and a worker starts sooner.
 *
 * @returns {Promise<import('esbuild').Plugin>}
 */
async function oneCore() {
  const inWorkers = await modulesOf(WORKER)
  const inLibrary = await Promise.all(PUBLIC.map((name) => modulesOf(`dist/${name}.js`)))
  const core = [...inWorkers].filter((file) => inLibrary.some((files) => files.has(file)))
  return {
    name: 'one-core',
    setup(bundle) {
      bundle.onLoad({ filter: /\.js$/, namespace: 'file' }, ({ path }) => {
        const file = relative('.', path)
        if (![...PUBLIC.map((name) => `dist/${name}.js`), ...LATE].includes(file)) return undefined
        const imports = core.map((module) => `import ${JSON.stringify(resolve(module))};`)
        // On the last line, so that the source map stays correct.
        return { contents: `${readFileSync(path, 'utf8')}\n${imports.join('')}`, loader: 'js' }
      })
    },
  }
}

/** @param {string} entry @returns {Promise<Set<string>>} the modules that it loads at once */
async function modulesOf(entry) {
  const { metafile } = await build({ ...IMPLEMENTATION, entryPoints: [entry], metafile: true })
  /** @type {Set<string>} */
  const found = new Set([entry])
  for (const file of found) {
    for (const { path, kind, external } of metafile.inputs[file]?.imports ?? []) {
      if (kind === 'import-statement' && external !== true) found.add(path)
    }
  }
  return found
}

/**
 * The licences of these packages demand that their texts come with the code. @param {string[]} files that are part of
 * the implementation
 */
function writeLicences(files) {
  const packages = new Set(
    files.map((file) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]).filter((path) => path !== undefined),
  )
  packages.add(UPLOT)
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

/**
 * One file has all types that the public modules need, so that each is the same type in all of them. A symbol, or a
 * class with private fields, would be two types if it were declared twice. The declarations of the public modules
 * re-export its names. Its map leads editors to the sources in lib/.
 */
async function makeDeclarations() {
  const bundle = await rollup({
    input: Object.fromEntries(PUBLIC.map((name) => [name, `dist/${name}.d.ts`])),
    external: /^node:/,
    plugins: [dts({ sourcemap: true, includeExternal: TYPED })],
    onLog: (_, { message }) => {
      throw new Error(`Cannot bundle the declarations: ${message}`)
    },
  })
  const { output } = await bundle.generate({
    dir: 'dist',
    sourcemap: true,
    entryFileNames: '[name].d.cts',
    chunkFileNames: '[name].d.cts',
    manualChunks: (file) => (PUBLIC.some((name) => file === resolve(`dist/${name}.d.ts`)) ? null : 'types'),
    hoistTransitiveImports: false,
    minifyInternalExports: false,
  })
  await bundle.close()
  for (const file of output) {
    if (file.type !== 'chunk') continue
    const { fileName, code, map, name } = file
    const text = `${NODE_TYPES}${code.replace(/^\/\/# sourceMappingURL=.*\n/m, '')}`
    const names = values.get(name)
    if (names !== undefined) writeFileSync(`dist/${fileName}`, withTypesApart(text, names))
    else {
      writeFileSync(`dist/${fileName}`, `${text}//# sourceMappingURL=${fileName}.map\n`)
      writeFileSync(`dist/${fileName}.map`, JSON.stringify({ ...map, mappings: `;${map?.mappings ?? ''}` }))
    }
  }
  for (const name of PUBLIC) {
    rmSync(`dist/${name}.d.ts.map`)
    writeFileSync(`dist/${name}.d.ts`, `export * from './${posix.basename(name)}.cjs'\n`)
  }
}

/**
 * A class that is exported only as a type must not be a value in the declarations either. Rollup does not know such
 * exports.
 *
 * @param {string} text the declarations of a public module @param {readonly string[]} values what it exports at run
 * time
 */
function withTypesApart(text, values) {
  const [whole = '', list = '', from = ''] = /^export \{ ([\w, ]+) \} from '([^']*types\.cjs)';$/m.exec(text) ?? []
  if (/^$| as /.test(list)) throw new Error(`Cannot bundle the declarations as rollup gave unexpected exports: ${text}`)
  const names = list.split(', ')
  const [own, types] = [names.filter((name) => values.includes(name)), names.filter((name) => !values.includes(name))]
  return text.replace(
    whole,
    `export { ${own.join(', ')} } from '${from}';\nexport type { ${types.join(', ')} } from '${from}';`,
  )
}

/** @param {string} folder @returns {string[]} */
function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(relative('.', entry.parentPath), entry.name))
}
