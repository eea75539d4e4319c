// @ts-check
/** The rows of `npm run test:toolchains`: for each tool a project, its commands, and their expected output. */
import { POINTS, runnerTests } from './points.js'
import { PRINTED, program, singleFile } from './programs.js'
import { runtimes } from './runtimes.js'

/** @typedef {'20.19' | '22' | '22.12' | '22.18' | '24' | '26'} Node a version that tools.js installs */

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {boolean} [quick] whether it belongs to the half that takes few minutes
 * @property {Node} [node] default: the Node that runs this
 * @property {string[]} [tools] the groups of tools that it needs; it runs in the folder of the first. Default: `base`
 * @property {boolean} [isApart] whether it runs outside this repository, with the package as `millrace.tgz`
 * @property {Record<string, string>} files
 * @property {string[]} [commands] default: those of the recipe that the page has under its name
 * @property {string | RegExp | (string | RegExp)[]} [prints] what its output must have
 * @property {string | RegExp} [fails] what the last command must say, and end with an error
 */

// Each of these settings is in one row, too.
const BUNDLED =
  /millrace as it was bundled: .*keep it external \(esbuild: --packages=external; rollup: external: \[\/\^millrace\/\]; webpack: externals: \[\/\^millrace\/\], externalsType: 'node-commonjs'; Next\.js: serverExternalPackages: \['millrace'\]; Vite: ssr: \{ external: \['millrace'\] \}; Bun: --packages external; ncc: --external millrace --external millrace\/multiprocessing --external millrace\/task\)/
const quick = true
const prints = PRINTED
const compiled = { prints: 'compiled' }
const TOOLS = '../../node_modules'
const [TSC, TSC57, TSC7] = ['typescript', 'ts57', 'ts7'].map((name) => `node ${TOOLS}/${name}/bin/tsc -p .`)

// The usual forms of a project.
const esm = program({ extension: 'ts', type: 'module' })
const mjs = program({ extension: 'mjs' })
const cjs = program({ extension: 'cjs', form: 'require' })
const untyped = program({ extension: 'ts', tasks: './tasks' })
const typescriptCJS = program({ extension: 'ts', tasks: './tasks', module: '__filename' })
const classic = {
  ...typescriptCJS,
  ...tsconfig({ module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0' }),
}

/** @type {Row[]} */
const loaders = [
  { name: 'tsx', quick, node: '22', files: untyped, prints },
  { name: 'tsx-import', node: '24', files: untyped, prints },
  {
    name: 'tsx-module',
    quick,
    node: '22',
    files: program({ extension: 'ts', type: 'module', tasks: './tasks' }),
    prints,
  },
  { name: 'tsx-commonjs', node: '24', files: program({ extension: 'ts', type: 'commonjs', tasks: './tasks' }), prints },
  { name: 'tsx-node20', files: untyped, prints },
  {
    name: 'tsx-node20-module',
    files: program({ extension: 'ts', type: 'module', tasks: './tasks' }),
    commands: ['tsx main.ts'],
    fails: /start the program with node --import \.\/register\.mjs, .*or pass these flags to a Pool as execArgv/,
  },
  { name: 'tsx-node20-import', files: program({ extension: 'ts', type: 'module', tasks: './tasks' }), prints },
  { name: 'ts-node', quick, node: '22', files: classic, prints },
  { name: 'ts-node-20', files: classic, prints },
  { name: 'ts-node-24', node: '24', files: classic, prints },
  {
    name: 'ts-node-command',
    node: '22',
    files: classic,
    commands: ['ts-node -T main.ts'],
    fails: /start the program with .*node -r ts-node\/register/,
  },
  {
    name: 'ts-node-esm',
    node: '22',
    files: {
      ...program({ extension: 'ts', type: 'module', tasks: './tasks.js' }),
      ...tsconfig({ module: 'nodenext', noEmit: false }),
    },
    prints,
  },
  { name: 'swc-node', quick, node: '22', files: typescriptCJS, prints },
  { name: 'swc-node-20', files: typescriptCJS, prints },
  {
    name: 'swc-node-esm',
    node: '22',
    files: { ...program({ extension: 'ts', type: 'module', tasks: './tasks.js' }), 'tsconfig.json': '{}' },
    prints,
  },
  { name: 'esbuild-register', quick, node: '22', files: typescriptCJS, prints },
  { name: 'esbuild-register-20', files: typescriptCJS, prints },
  {
    name: 'jiti',
    node: '22',
    files: typescriptCJS,
    commands: ['jiti main.ts'],
    fails: /start the program with node --import tsx/,
  },
]

const intoFile = `output: { path: process.cwd() + '/out', filename: 'main.cjs' }`

/** @type {Row[]} */
const bundlers = [
  { name: 'esbuild', quick, files: singleFile('ts'), prints },
  { name: 'esbuild-splitting', quick, files: program({ extension: 'ts' }), prints },
  {
    name: 'esbuild-minified',
    files: singleFile('ts'),
    commands: [
      'esbuild app.ts --bundle --minify --platform=node --format=esm --packages=external --outfile=app.mjs',
      'node app.mjs',
    ],
    prints,
  },
  {
    name: 'esbuild-cjs',
    files: singleFile('ts'),
    commands: [
      'esbuild app.ts --bundle --platform=node --format=cjs --packages=external --outfile=app.cjs',
      'node app.cjs',
    ],
    fails: 'its module must be import.meta.url, or __filename in CommonJS: received undefined',
  },
  bundled('esbuild-bundled', singleFile('ts'), 'esbuild app.ts --bundle --platform=node --format=esm', true),
  bundled(
    'esbuild-bundled-minified',
    singleFile('ts'),
    'esbuild app.ts --bundle --minify --platform=node --format=esm',
  ),
  bundled('esbuild-bundled-to-cjs', singleFile('ts'), 'esbuild app.ts --bundle --platform=node --format=cjs'),
  bundled('esbuild-bundled-cjs', cjs, 'esbuild main.cjs --bundle --platform=node --format=cjs', true),
  { name: 'rollup', quick, files: mjs, prints },
  {
    name: 'rollup-bundled',
    quick,
    files: {
      ...mjs,
      'rollup.config.mjs': `import commonjs from '@rollup/plugin-commonjs'
import resolve from '@rollup/plugin-node-resolve'
export default { input: 'main.mjs', plugins: [resolve(), commonjs()], output: { file: 'out/main.mjs' } }
`,
    },
    commands: ['rollup -c', 'node out/main.mjs'],
    fails: BUNDLED,
  },
  {
    name: 'webpack',
    quick,
    // The command `webpack` asks for one more package.
    files: { ...singleFile('mjs'), 'build.mjs': webpackBuild(`...(await import('./webpack.config.mjs')).default`) },
    commands: ['node build.mjs', 'node out/app.mjs'],
    prints,
  },
  {
    name: 'webpack-cjs',
    files: { ...singleCommonJS(), 'build.mjs': webpackBuild(`...(await import('./webpack.config.mjs')).default`) },
    commands: ['node build.mjs', 'node out/app.cjs'],
    prints,
  },
  {
    name: 'webpack-bundled',
    quick,
    files: { ...mjs, 'build.mjs': webpackBuild(`entry: './main.mjs', ${intoFile}`) },
    commands: ['node build.mjs', 'node out/main.cjs'],
    fails: BUNDLED,
  },
  {
    name: 'webpack-bundled-cjs',
    files: { ...cjs, 'build.mjs': webpackBuild(`entry: './main.cjs', optimization: { minimize: false }, ${intoFile}`) },
    commands: ['node build.mjs', 'node out/main.cjs'],
    fails: BUNDLED,
  },
  { name: 'vite-ssr', quick, files: esm, prints },
  {
    name: 'vite-external',
    files: {
      ...esm,
      'vite.config.mjs': `export default {
  ssr: { noExternal: true, external: ['millrace'] },
  build: { ssr: true, rollupOptions: { input: ['main.ts', 'tasks.ts'] } },
}
`,
    },
    commands: ['vite build', 'node dist/main.js'],
    prints,
  },
  {
    name: 'vite-bundled',
    quick,
    files: { ...esm, 'vite.config.mjs': `export default { ssr: { noExternal: ['millrace'] } }\n` },
    commands: ['vite build --ssr main.ts', 'node dist/main.js'],
    fails: BUNDLED,
  },
  {
    name: 'vite-hot',
    quick,
    node: '22',
    files: {
      ...esm,
      'main.mjs': `import { readFileSync, writeFileSync } from 'node:fs'
import { imap } from 'millrace'
import { createServer } from 'vite'

const server = await createServer({ server: { middlewareMode: true, hmr: false, ws: false }, appType: 'custom' })
async function run() {
  const { level } = await server.ssrLoadModule('/tasks.ts')
  for await (const found of imap(level, ['a first'])) console.log(found)
}
await run()
writeFileSync('tasks.ts', readFileSync('tasks.ts', 'utf8').replace("?? ''", "&& 'second'"))
server.moduleGraph.invalidateAll()
await run()
await server.close()
`,
    },
    commands: ['node main.mjs'],
    prints: /^first\nsecond\n/m,
  },
  { name: 'ncc', files: { ...singleCommonJS() }, prints },
  { name: 'ncc-bundled', files: cjs, commands: ['ncc build main.cjs -o out', 'node out/index.cjs'], fails: BUNDLED },
  {
    name: 'bun-external',
    tools: ['runtimes', 'base'],
    files: esm,
    prints: [`out/main.js\n${PRINTED}\n$ bun`, `bun out/main.js\n${PRINTED}`],
  },
  {
    name: 'bun-bundled',
    tools: ['runtimes', 'base'],
    files: esm,
    commands: ['bun build main.ts --target=node --outfile=out.mjs', 'node out.mjs'],
    fails: BUNDLED,
  },
]

const vitestFiles = runnerTests({
  form: 'import',
  file: 'a.test.ts',
  tasks: './tasks',
  head: "import { test, expect } from 'vitest'\n",
  extension: 'ts',
  type: 'module',
})
const jestESM = runnerTests({ form: 'import', file: 'a.test.mjs', tasks: './tasks.mjs', extension: 'mjs' })
const jestCJS = runnerTests({ form: 'require', file: 'a.test.js', tasks: './tasks' })
const inJest = { prints: new RegExp(`Tests: +${POINTS} passed`) }
/** A test for runners that have another form. @param {string} head */
const plainTest = (head) => `import { imap } from 'millrace'
${head}
import { level } from './tasks.mjs'
const name = 'runs'
const run = async () => { for await (const x of imap(level, ['a b'])) if (x !== 'b') throw new Error(x) }
`

/** @type {Row[]} */
const runners = [
  { name: 'jest', quick, files: { ...jestCJS, 'jest.config.json': '{}' }, ...inJest },
  {
    name: 'jest-babel',
    files: {
      ...runnerTests({ form: 'import', file: 'a.test.js', tasks: './tasks.js' }),
      'tasks.js': jestCJS['tasks.js'] ?? '',
      'jest.config.json': '{}',
      'babel.config.json': '{ "plugins": ["@babel/plugin-transform-modules-commonjs"] }',
    },
    ...inJest,
  },
  {
    name: 'jest-reset',
    quick,
    files: {
      ...cjs,
      'tasks.js': `const { task } = require('millrace/task')\nexports.same = task(__filename, 'same', (x) => x)\n`,
      'jest.config.json': '{}',
      'a.test.js': `test.each([1, 2])('a module that is evaluated again', async (n) => {
  jest.resetModules()
  const { imap } = require('millrace')
  for await (const x of imap(require('./tasks').same, [n])) expect(x).toBe(n)
})
`,
    },
    commands: ['jest'],
    prints: /Tests: +2 passed/,
  },
  {
    name: 'jest-esm',
    quick,
    files: { ...jestESM, 'jest.config.json': '{ "testMatch": ["**/*.test.mjs"] }' },
    // As in the page, where jest is.
    commands: [`node --experimental-vm-modules ${TOOLS}/jest/bin/jest.js`],
    ...inJest,
  },
  {
    name: 'ts-jest',
    node: '22',
    files: {
      ...runnerTests({ form: 'import', file: 'a.test.ts', tasks: './tasks', extension: 'ts', module: '__filename' }),
      'jest.config.json': '{ "preset": "ts-jest" }',
      ...tsconfig({
        module: 'commonjs',
        moduleResolution: 'node10',
        ignoreDeprecations: '6.0',
        types: ['node', 'jest'],
      }),
    },
    ...inJest,
  },
  { name: 'vitest', quick, node: '22', files: vitestFiles, prints: new RegExp(`Tests +${POINTS} passed`) },
  {
    name: 'vitest3',
    tools: ['vitest3', 'base'],
    node: '22',
    files: vitestFiles,
    prints: new RegExp(`Tests +${POINTS} passed`),
  },
  {
    name: 'vitest-tsx',
    node: '22',
    files: {
      'package.json': '{ "type": "module" }',
      'helper.ts': 'export enum Place { second = 1 }\n',
      'tasks.ts': `import { task } from 'millrace/task'
import { Place } from './helper'
export const level = task(import.meta.url, 'level', (line: string) => line.split(' ')[Place.second])
`,
      'a.test.ts': `import { imap } from 'millrace'
import { test, expect } from 'vitest'
import { level } from './tasks'
test('runs', async () => { for await (const x of imap(level, ['a b'])) expect(x).toBe('b') })
`,
    },
    prints: /Tests +1 passed/,
  },
  {
    name: 'vitest-reset',
    quick,
    node: '22',
    files: {
      ...esm,
      'a.test.ts': `import { imap } from 'millrace'
import { expect, test, vi } from 'vitest'
test.each([1, 2])('a module that is evaluated again', async () => {
  vi.resetModules()
  const { level } = await import('./tasks.ts')
  for await (const x of imap(level, ['a b'])) expect(x).toBe('b')
})
`,
    },
    commands: ['vitest run'],
    prints: /Tests +2 passed/,
  },
  {
    name: 'vitest-mock',
    node: '22',
    files: {
      'package.json': '{ "type": "module" }',
      'helper.ts': `export const place = () => 'real'\n`,
      'tasks.ts': `import { task } from 'millrace/task'
import { place } from './helper.ts'
export const where = task(import.meta.url, 'where', (_: number) => place())
`,
      'a.test.ts': `import { imap, isMainThread } from 'millrace'
import { expect, test, vi } from 'vitest'
import { where } from './tasks.ts'
vi.mock('./helper.ts', () => ({ place: () => 'mocked' }))
test('what a task imports', async () => {
  expect(await imap(where, [1]).toArray()).toEqual(['real'])
  expect(await imap(where, [1], { workers: 0 }).toArray()).toEqual(['mocked'])
  expect(isMainThread).toBe(false)
})
`,
    },
    commands: ['vitest run --pool=threads'],
    prints: /Tests +1 passed/,
  },
  {
    name: 'bun-test',
    tools: ['runtimes', 'base'],
    files: jestCJS,
    prints: ` ${POINTS} pass\n 0 fail`,
  },
  {
    name: 'mocha',
    files: { ...mjs, 'a.test.mjs': `${plainTest('')}it(name, run)\n` },
    prints: '1 passing',
  },
  {
    name: 'node-test',
    quick,
    files: { ...mjs, 'a.test.mjs': `${plainTest("import test from 'node:test'")}test(name, run)\n` },
    prints: /pass 1\b/,
  },
]

const emitted = { skipLibCheck: true, declaration: true, noEmit: false, emitDeclarationOnly: true, outDir: 'out' }
/** As in a program for Node. The other rows have the default, with the types of browsers. */
const NO_DOM = ['es2022']
const nodenext = { module: 'nodenext', types: [] }

/** @type {Row[]} */
const types = [
  { name: 'types-node10', quick, files: classic, commands: [`${TSC}`, 'echo compiled'], ...compiled },
  {
    name: 'types-5.7',
    files: { ...typescriptCJS, ...tsconfig({ module: 'commonjs', moduleResolution: 'node10' }) },
    commands: [`${TSC57}`, 'echo compiled'],
    ...compiled,
  },
  {
    name: 'types-node16',
    files: { ...typescriptCJS, ...tsconfig({ module: 'node16', lib: NO_DOM }) },
    commands: [`${TSC}`, `${TSC57}`, 'echo compiled'],
    ...compiled,
  },
  {
    name: 'types-none',
    quick,
    files: { ...program({ extension: 'mts', tasks: './tasks.mjs' }), ...tsconfig(nodenext) },
    commands: [`${TSC7}`, 'echo compiled'],
    ...compiled,
  },
  {
    name: 'types-bundler',
    files: {
      ...program({ extension: 'ts', tasks: './tasks', type: 'module' }),
      ...tsconfig({ module: 'esnext', moduleResolution: 'bundler', lib: NO_DOM }),
    },
    commands: [`${TSC}`, `${TSC7}`, `${TSC57}`, 'echo compiled'],
    ...compiled,
  },
]

/**
 * The exports that a program can have with `declaration: true`. test/declaration-emit.slow.test.ts has more of them, for one
 * version.
 */
const EXPORTS = `import { filter, imap, pipe, Pool, reduce } from 'millrace'
import { Lock } from 'millrace/multiprocessing'
import { level } from './tasks'

export const stage = imap(level, { errors: 'settle' })
export const kept = filter(level)
export const piped = pipe(['a b'], imap(level), filter(level))
export const sink = reduce((total: number, line: string) => total + line.length, { initial: 0, merge: (a, b) => a + b, workers: 0 })
export const { imap: ofPool, map, apply, istarmap } = new Pool()
export const hold = new Lock().acquire()
`

/** @type {Row[]} */
const declarations = [
  {
    name: 'types-declarations',
    files: {
      ...typescriptCJS,
      'exports.ts': EXPORTS,
      ...tsconfig({ module: 'node16', ...emitted, skipLibCheck: false }),
    },
    commands: [`${TSC}`, `${TSC57}`, 'cat out/tasks.d.ts'],
    prints: /^export declare const level: .*import\("millrace\/task"\)/m,
  },
  {
    name: 'types-isolated',
    files: {
      ...typescriptCJS,
      'tasks.ts': `import { task, type Task } from 'millrace/task'

export const level: Task<string, string> = task(__filename, 'level', (line: string) => line.split(' ')[1] ?? '')
`,
      ...tsconfig({ module: 'node16', isolatedDeclarations: true, ...emitted }),
    },
    commands: [`${TSC}`, 'cat out/tasks.d.ts'],
    prints: 'level: Task<string, string>',
  },
]

/** @type {Row[]} */
const managers = [
  { name: 'pnpm', tools: ['managers', 'base'], isApart: true, files: mjs, prints },
  { name: 'yarn', tools: ['managers', 'base'], isApart: true, files: { ...mjs, ...cjs, 'yarn.lock': '' }, prints },
]

/** @type {Row[]} */
const frameworks = [
  {
    name: 'next',
    node: '22',
    isApart: true,
    files: {
      'package.json': '{ "private": true, "type": "module" }',
      'app/layout.tsx': `export default function Layout({ children }: { children: React.ReactNode }) {
  return <html><body>{children}</body></html>
}
`,
      'app/tasks.ts': esm['tasks.ts'] ?? '',
      'app/run/route.ts': `import { imap } from 'millrace'
import { level } from '../tasks'
export const dynamic = 'force-dynamic'
export async function GET() {
  for await (const found of imap(level, ['a first'])) return new Response(found)
}
`,
      'ask.mjs': `import { spawn } from 'node:child_process'
const server = spawn('node_modules/.bin/next', ['start', '-p', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
server.stdout.setEncoding('utf8').on('data', async (text) => {
  const [url] = /http:\\/\\/localhost:\\d+/.exec(text) ?? []
  if (url === undefined) return
  console.log('answer:', await (await fetch(url + '/run')).text())
  server.kill()
})
`,
    },
    commands: [
      'npm install --no-audit --no-fund next@16.4.6 react@19.3.1 react-dom@19.3.1 @types/react@19.3.3 typescript@6.0.3 @types/node@22 ./millrace.tgz',
      'node_modules/.bin/next build',
      'node ask.mjs',
      'rm next.config.mjs && node_modules/.bin/next build',
    ],
    prints: 'answer: first',
    fails: BUNDLED,
  },
]

export const rows = [
  ...runtimes,
  ...loaders,
  ...bundlers,
  ...runners,
  ...types,
  ...declarations,
  ...managers,
  ...frameworks,
]

/** @param {Record<string, unknown>} compilerOptions */
function tsconfig(compilerOptions) {
  const strict = { strict: true, target: 'es2022', noEmit: true, skipLibCheck: false, types: ['node'] }
  return { 'tsconfig.json': JSON.stringify({ compilerOptions: { ...strict, ...compilerOptions }, include: ['*.*ts'] }) }
}

/**
 * A bundle that contains millrace.
 *
 * @param {string} name @param {Record<string, string>} files @param {string} build @param {boolean} [quick] @returns
 * {Row}
 */
function bundled(name, files, build, quick = false) {
  const extension = build.endsWith('esm') ? 'mjs' : 'cjs'
  return {
    name,
    quick,
    files,
    commands: [`${build} --outfile=out.${extension}`, `node out.${extension}`],
    fails: BUNDLED,
  }
}

/** @param {string} settings */
function webpackBuild(settings) {
  return `import { createRequire } from 'node:module'
const webpack = createRequire(import.meta.url)('webpack')
webpack({ mode: 'production', target: 'node20', ${settings} }, (error, stats) => {
  if (error) throw error
  console.log(stats.toString({ preset: 'errors-warnings' }))
  process.exitCode = stats.hasErrors() ? 1 : 0
})
`
}

/** A guarded program in one CommonJS file. */
function singleCommonJS() {
  const text = singleFile('mjs')['app.mjs'] ?? ''
  return {
    'package.json': '{}',
    'main.cjs': text
      .replace(/import (.*) from ('.*')/g, 'const $1 = require($2)')
      .replace('export const level = task(import.meta.url', 'const level = task(__filename'),
  }
}
