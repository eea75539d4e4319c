// @ts-check
/** What `npm run test:toolchains` runs: for each tool a project, its commands, and what these must print or say. */
import { points, PRINTED, program, runnerTests, singleFile } from './programs.js'

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {boolean} [quick] whether it belongs to the half that takes few minutes
 * @property {'22' | '24'} [node] default: the Node that runs this
 * @property {string[]} [tools] the groups of tools that it needs; it runs in the folder of the first. Default: `base`
 * @property {boolean} [isApart] whether it runs outside this repository, with the package as `millrace.tgz`
 * @property {Record<string, string>} files
 * @property {string[]} [commands] default: those of the recipe that the page has under its name
 * @property {string | RegExp} [prints]
 * @property {string | RegExp} [fails] what the last command must say, and end with an error
 */

const BUNDLED = /millrace.* was bundled: .*keep it external/
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
const runtimes = [
  { name: 'node-mjs', quick, files: mjs, commands: ['node main.mjs'], prints },
  { name: 'node-cjs', quick, files: cjs, commands: ['node main.cjs'], prints },
  { name: 'node22-types', quick, node: '22', files: program({ extension: 'ts', type: 'module' }), prints },
  { name: 'node24-types', node: '24', files: esm, prints },
  {
    name: 'node22-cts',
    node: '22',
    files: program({ extension: 'cts', form: 'require' }),
    commands: ['node main.cts'],
    prints,
  },
  { name: 'node24-cjs', node: '24', files: cjs, commands: ['node main.cjs'], prints },
  ...[undefined, '22', '24'].map(
    (node) =>
      /** @type {Row} */ ({
        name: `node${node ?? ''}-points`,
        quick,
        node,
        files: points(),
        commands: ['node main.mjs'],
        prints: '8 of 8 passed',
      }),
  ),
  { name: 'bun', tools: ['runtimes', 'base'], files: esm, prints },
  {
    name: 'deno-points',
    tools: ['runtimes', 'base'],
    files: points(),
    commands: ['deno run -A main.mjs'],
    prints: '8 of 8 passed',
  },
  { name: 'deno', tools: ['runtimes', 'base'], files: esm, prints },
]

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
    fails: /start the program by node --import \.\/register\.mjs, .*or give these to a Pool as execArgv/,
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
    fails: /start the program by .*node -r ts-node\/register/,
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
    fails: /start the program by node --import tsx/,
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
    name: 'webpack-bundled',
    quick,
    files: { ...mjs, 'build.mjs': webpackBuild(`entry: './main.mjs', ${intoFile}`) },
    commands: ['node build.mjs', 'node out/main.cjs'],
    fails: BUNDLED,
  },
  {
    name: 'webpack-bundled-cjs',
    files: { ...cjs, 'build.mjs': webpackBuild(`entry: './main.cjs', ${intoFile}`) },
    commands: ['node build.mjs', 'node out/main.cjs'],
    fails: BUNDLED,
  },
  { name: 'vite-ssr', quick, files: esm, prints },
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
const inJest = { prints: /Tests: +8 passed/ }
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
  { name: 'vitest', quick, node: '22', files: vitestFiles, prints: /Tests +8 passed/ },
  { name: 'vitest3', tools: ['vitest3', 'base'], node: '22', files: vitestFiles, prints: /Tests +8 passed/ },
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
    name: 'bun-test',
    tools: ['runtimes', 'base'],
    files: jestCJS,
    prints: / 8 pass\n 0 fail/,
  },
  {
    name: 'mocha',
    files: { ...mjs, 'a.test.mjs': `${plainTest('')}it(name, run)\n` },
    commands: ['mocha a.test.mjs'],
    prints: '1 passing',
  },
  {
    name: 'node-test',
    quick,
    files: { ...mjs, 'a.test.mjs': `${plainTest("import test from 'node:test'")}test(name, run)\n` },
    commands: ['node --test a.test.mjs'],
    prints: /pass 1\b/,
  },
]

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
    files: { ...typescriptCJS, ...tsconfig({ module: 'node16' }) },
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
      ...tsconfig({ module: 'esnext', moduleResolution: 'bundler' }),
    },
    commands: [`${TSC}`, `${TSC7}`, `${TSC57}`, 'echo compiled'],
    ...compiled,
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
    ],
    prints: 'answer: first',
  },
]

export const rows = [...runtimes, ...loaders, ...bundlers, ...runners, ...types, ...managers, ...frameworks]

/** @param {Record<string, unknown>} compilerOptions */
function tsconfig(compilerOptions) {
  const strict = { strict: true, target: 'es2022', noEmit: true, skipLibCheck: false, types: ['node'] }
  return { 'tsconfig.json': JSON.stringify({ compilerOptions: { ...strict, ...compilerOptions }, include: ['*.*ts'] }) }
}

/**
 * A bundle that has millrace in it.
 *
 * @param {string} name @param {Record<string, string>} files @param {string} build @param {boolean} [quick] @returns {Row}
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
