// @ts-check
/**
 * Runs millrace under the tools that people run it with: `npm run test:toolchains`, after a build. Packs the package,
 * installs it and pinned versions of the tools below build/toolchains/, and runs each row of toolchains/rows.js as a
 * separate project. The recipes are those of docs/toolchains.md.
 *
 * `--quick`: only the rows that need few seconds. Names after the options choose rows by their beginning.
 * `--report FILE`: writes the counts there.
 */
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import pLimit from 'p-limit'
import { recipes } from './toolchains/page.js'
import { rows } from './toolchains/rows.js'
import { install } from './toolchains/tools.js'

/** The longest run of a row, in milliseconds. */
const LIMIT_MS = 180_000
const PAGE = 'docs/toolchains.md'

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, report: { type: 'string' } },
  allowPositionals: true,
})
process.chdir(resolve(import.meta.dirname, '..'))
const root = resolve('build/toolchains')
const page = recipes(PAGE)

for (const name of page.keys()) {
  if (!rows.some((row) => row.name === name)) throw new Error(`${PAGE} has a recipe '${name}' that no row runs`)
}
const chosen = rows.filter(
  ({ name, quick }) =>
    (quick || !values.quick) && (positionals.length === 0 || positionals.some((start) => name.startsWith(start))),
)
const tarball = install(root, [...new Set(chosen.flatMap(({ tools }) => tools ?? ['base']))])
const limit = pLimit(2)
const apart = mkdtempSync(join(tmpdir(), 'millrace-toolchains-'))
const passed = await Promise.all(chosen.map((row) => limit(run, row)))
rmSync(apart, { recursive: true, force: true })
const failed = passed.filter((ok) => !ok).length
console.log(`toolchains: ${passed.length - failed} passed, ${failed} failed`)
if (values.report !== undefined) {
  const counts = { numPassedTests: passed.length - failed, numFailedTests: failed, numRuntimeErrorTestSuites: 0 }
  writeFileSync(values.report, JSON.stringify(counts))
}
process.exitCode = failed === 0 ? 0 : 1

/** @param {import('./toolchains/rows.js').Row} row @returns {Promise<boolean>} */
async function run(row) {
  const group = row.tools?.[0] ?? 'base'
  const folder = row.isApart === true ? join(apart, row.name) : join(root, group, 'projects', row.name)
  rmSync(folder, { recursive: true, force: true })
  const recipe = page.get(row.name)
  for (const [name, text] of Object.entries({ ...row.files, ...recipe?.files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  if (row.isApart === true) copyFileSync(tarball, join(folder, 'millrace.tgz'))
  const commands = row.commands ?? recipe?.commands ?? []
  const started = performance.now()
  let output = ''
  let problem = commands.length === 0 ? `there are no commands for it, here or in ${PAGE}` : undefined
  for (const [i, command] of commands.entries()) {
    const ended = await execute(command, folder, row)
    output += `$ ${command}\n${ended.output}`
    const isToFail = row.fails !== undefined && i === commands.length - 1
    if ((ended.code === 0) !== isToFail) continue
    problem = `'${command}' ended with ${ended.code}`
    break
  }
  for (const expected of [row.prints ?? [], row.fails ?? []].flat()) {
    if (typeof expected === 'string' ? output.includes(expected) : expected.test(output)) continue
    problem ??= `its output does not have ${expected}`
  }
  const took = `${((performance.now() - started) / 1000).toFixed(1)} s`
  console.log(
    problem === undefined
      ? `ok    ${row.name} (${took})`
      : `FAIL  ${row.name} (${took}): ${problem}\n${output.slice(-4000)}`,
  )
  return problem === undefined
}

/** @param {string} command @param {string} cwd @param {import('./toolchains/rows.js').Row} row */
function execute(command, cwd, { node, tools: [group = 'base'] = [] }) {
  const base = join(root, 'base/node_modules')
  const bins = [join(root, group, 'node_modules/.bin'), join(base, '.bin')]
  const own =
    node === undefined
      ? dirname(process.execPath)
      : join(root, group === 'nodes' ? group : 'base', `node_modules/node${node}/bin`)
  const PATH = [own, ...bins, process.env.PATH].join(delimiter)
  return /** @type {Promise<{ code: number | null, output: string }>} */ (
    new Promise((done, fail) => {
      const child = spawn(command, {
        cwd,
        shell: true,
        detached: true,
        env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', CI: '1', PATH },
      })
      let output = ''
      const timer = setTimeout(() => {
        output += `\n(ended, as it took longer than ${LIMIT_MS} ms)\n`
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      }, LIMIT_MS)
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text) => (output += text))
      child.on('error', fail)
      child.on('close', (code) => {
        clearTimeout(timer)
        done({ code, output })
      })
    })
  )
}
