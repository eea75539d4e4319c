// @ts-check
/**
 * Other versions of Node: the npm package `node` has the binaries, which are kept below build/nodes/. As a program it
 * prints the path of one: `node scripts/node-binary.js 24`.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(import.meta.dirname, '..')

/** @param {string} version @returns {string} the path of a Node of that version, which is installed if need be */
export function nodeBinary(version) {
  if (!/^\d+(\.\d+)*$/.test(version)) throw new Error(`Cannot find Node '${version}': give a version, like 24`)
  const folder = join(root, 'build/nodes', version)
  const path = join(folder, 'node_modules/node/bin/node')
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    // A separate project: npm would otherwise install into the parent project.
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }))
    execFileSync('npm', ['install', '--no-audit', '--no-fund', `node@${version}`], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    })
  }
  return path
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(nodeBinary(process.argv[2] ?? ''))
