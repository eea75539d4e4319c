/** The program itself: what it prints, where, with which exit code, and what it loads. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { textOf } from '#dist/cli/arguments/show.js'
import { runNode, type Ending } from '../support/programs.js'

const PROGRAM = fileURLToPath(new URL('../../../dist/cli/millrace.cjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'millrace-program-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function millrace(...args: readonly string[]): Promise<Ending> {
  return runNode([PROGRAM, ...args])
}

it.each([
  [['-h'], textOf('usage')],
  [['--help'], textOf('help')],
  [['--version'], textOf('version')],
  [['--man'], textOf('man')],
  [['--completion', 'bash'], textOf('completion', 'bash')],
])('%j prints a text on the standard output, and ends with 0', async (args, stdout) => {
  expect(await millrace(...args)).toEqual({ code: 0, signal: null, stdout, stderr: '' })
})

it.each([
  [['--tiemout', '5'], "millrace: there is no option '--tiemout': did you mean --timeout?\n"],
  [['-e', 'd)'], "millrace: -e must be an expression of JavaScript: Unexpected token ')', at column 2\n  d)\n   ^\n"],
  [[], 'millrace: nothing to do: give a stage or a file. See millrace -h\n'],
])('%j prints the error on the standard error, and ends with 2', async (args, stderr) => {
  expect(await millrace(...args)).toEqual({ code: 2, signal: null, stdout: '', stderr })
})

it.each(['worker', 'setup', 'hosts', 'check'])('%s is a command for clusters', async (name) => {
  const { code, stdout } = await millrace(name, '--help')
  expect(code).toBe(0)
  expect(stdout).toContain(`Usage: npx millrace ${name}`)
  expect(await millrace(name, '--slot')).toMatchObject({ code: 1, stdout: '' })
})

describe('loads only what it needs', () => {
  const listing = join(folder, 'listing.cjs')
  beforeAll(() => {
    const list = "process.on('exit', () => process.stderr.write(Object.keys(require.cache).join('\\n')))"
    writeFileSync(listing, list)
    writeFileSync(join(folder, 'small.txt'), 'a\nb\n')
  })

  /** The paths of the files that a run has loaded. */
  async function loaded(...args: readonly string[]): Promise<string[]> {
    const { code, stderr } = await runNode(['--require', listing, PROGRAM, ...args])
    expect(code).toBe(0)
    return stderr.split('\n')
  }

  it('of NATS, nothing for files', async () => {
    const natsOf = (files: readonly string[]): string[] =>
      files.filter((file) => /[/\\]dist[/\\]/.test(file) && readFileSync(file, 'utf8').includes('@nats-io/'))
    expect(natsOf(await loaded('-e', 'd', join(folder, 'small.txt')))).toEqual([])
    // The control: commands for clusters load it.
    expect(natsOf(await loaded('check', '--help'))).not.toEqual([])
  })

  it('one file for small files, and another one at which Node begins', async () => {
    const files = await loaded('-e', 'd.length', join(folder, 'small.txt'))
    expect(files.map((file) => basename(file)).filter((name) => name !== 'listing.cjs')).toEqual([
      'millrace.cjs',
      'main.cjs',
    ])
  })

  it('neither the library nor a package for help', async () => {
    const files = await loaded('--help')
    expect(files.filter((file) => /node_modules|dist[/\\]index[.]cjs/.test(file))).toEqual([])
    expect(files.length).toBeLessThan(10)
  })
})
