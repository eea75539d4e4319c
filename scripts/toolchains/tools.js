// @ts-check
/** The tools, in pinned versions, and the packed package beside them. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * By group. Each group has its own folder, because some tools need different versions of others. @type {Record<string,
 * string[]>}
 */
export const TOOLS = {
  base: [
    '@babel/plugin-transform-modules-commonjs@7.29.14',
    '@rollup/plugin-commonjs@29.0.3',
    '@rollup/plugin-node-resolve@16.0.3',
    '@swc-node/register@1.12.1',
    '@swc/core@1.16.22',
    '@types/node@20.19.43',
    '@vercel/ncc@0.45.0',
    'esbuild@0.28.2',
    'esbuild-register@3.6.0',
    'jest@30.5.2',
    'jiti@2.7.0',
    'mocha@12.0.3',
    'node22@npm:node@22.23.3',
    'node24@npm:node@24.21.0',
    'rollup@4.68.8',
    'ts-jest@29.4.15',
    'ts-node@10.9.2',
    'ts57@npm:typescript@5.7.3',
    'ts7@npm:typescript@7.0.2',
    'tsx@4.23.15',
    'typescript@6.0.3',
    'vite@8.4.0',
    'vitest@4.1.12',
    'webpack@5.113.0',
  ],
  nodes: [
    'node20.19@npm:node@20.19.0',
    'node22.12@npm:node@22.12.0',
    'node22.18@npm:node@22.18.0',
    'node26@npm:node@26.10.0',
  ],
  vitest3: ['vite@6.4.6', 'vitest@3.2.4'],
  runtimes: ['bun@1.4.5', 'deno@2.9.6'],
  managers: ['pnpm@10.34.8', '@yarnpkg/cli-dist@4.18.1'],
}

/**
 * Installs groups of tools below a folder, unless they are there, and the package as it is now.
 *
 * @param {string} root @param {string[]} groups @returns {string} the packed package
 */
export function install(root, groups) {
  mkdirSync(root, { recursive: true })
  for (const file of readdirSync(root)) if (file.endsWith('.tgz')) rmSync(join(root, file))
  npm(process.cwd(), ['pack', '--ignore-scripts', '--pack-destination', root])
  const tarball = join(root, readdirSync(root).find((file) => file.endsWith('.tgz')) ?? '')
  for (const group of groups) {
    const folder = join(root, group)
    const tools = TOOLS[group]
    if (tools === undefined)
      throw new Error(`Cannot install the tools '${group}': there are ${Object.keys(TOOLS).join(', ')}`)
    const mark = join(folder, 'installed.json')
    const wanted = JSON.stringify([tools, JSON.parse(readFileSync('package.json', 'utf8')).dependencies])
    if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) {
      // npm would keep a package of the same version as it is.
      const there = join(folder, 'node_modules/millrace')
      rmSync(there, { recursive: true, force: true })
      mkdirSync(there)
      execFileSync('tar', ['-xzf', tarball, '-C', there, '--strip-components', '1'])
      continue
    }
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }))
    npm(folder, ['install', '--no-package-lock', ...tools, tarball])
    writeFileSync(mark, wanted)
  }
  return tarball
}

/** @param {string} cwd @param {string[]} args */
function npm(cwd, args) {
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
