// @ts-check
/**
 * Joins the compiled modules of dist/ into few files: what a program imports (index.js), what a module of tasks needs
 * (task-module.js), what a worker starts with (worker/main.js), and what these have in common (shared-*.js). Node takes about
 * 0.4 ms to load a module, in the program and again in every worker. The single modules stay, for the tests of internal
 * ones; they are not published.
 */
import { readdirSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { build } from 'esbuild'

process.chdir(resolve(import.meta.dirname, '..'))

for (const file of readdirSync('dist')) if (file.startsWith('shared-')) rmSync(`dist/${file}`)

await build({
  entryPoints: ['dist/index.js', 'dist/task-module.js', 'dist/worker/main.js'],
  outdir: 'dist',
  allowOverwrite: true,
  bundle: true,
  splitting: true,
  chunkNames: 'shared-[hash]',
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
})
