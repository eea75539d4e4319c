/** The identity of a module of tasks on all machines. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { moduleName, taskKey } from '#dist/cluster/task-key.js'

const root = mkdtempSync(join(tmpdir(), 'task-key-'))
mkdirSync(join(root, 'dist/deep'), { recursive: true })
writeFileSync(join(root, 'package.json'), '{ "name": "@me/jobs" }')
writeFileSync(join(root, 'dist/package.json'), '{ "type": "module" }')
const file = join(root, 'dist/deep/tasks one.js')
writeFileSync(file, 'export {}')
const url = pathToFileURL(file).href

it('is the package, the path in it, and the hash of the file', () => {
  expect(taskKey(url)).toMatch(/^@me\/jobs\/dist\/deep\/tasks one\.js@[0-9a-f]{16}$/)
  const before = taskKey(url)
  expect(taskKey(url)).toBe(before)
  writeFileSync(file, 'export const changed = true')
  expect(taskKey(url)).not.toBe(before)
})

it('takes a version and a key that are given', () => {
  expect(taskKey(url, 'abc')).toBe('@me/jobs/dist/deep/tasks one.js@abc')
  expect(taskKey('data:text/javascript,', 'abc', 'mine')).toBe('mine@abc')
  expect(taskKey('node:zlib')).toBe('node:zlib@node')
})

it('refuses a module that is not a file', () => {
  for (const module of ['data:text/javascript,', 'file:///missing.js']) {
    expect(() => taskKey(module)).toThrow(/^Cannot name a task for other machines as its module must be a file/)
  }
})

it('has a name that fits into a subject, and differs where the key or the version does', () => {
  const names = ['a/b.c.js@1', 'a/b.c.js@2', 'x/b.c.js@1'].map(moduleName)
  for (const name of names) expect(name).toMatch(/^b_c_js-[0-9a-f]{16}$/)
  expect(new Set(names).size).toBe(3)
})
