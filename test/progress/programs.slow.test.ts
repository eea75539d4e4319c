/** Whole programs that show progress: where there is no terminal, and on a real one. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../support/programs.js'
import { FakeTerminal } from '../support/terminal.js'

const program = fileURLToPath(new URL('../fixtures/programs/shows-progress.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'millrace-progress-programs-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const LAST =
  /^done in \d.*: 20 items, [\d,]+ items\/s, \d+ workers? busy \d+ %, limited by the (workers|source|consumer)\n$/

/** Runs the program on a new terminal. @returns All that the terminal was sent. */
async function onTerminal(way: string, columns: number, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const command = `stty cols ${columns} rows 24; exec ${process.execPath} ${program} ${way}`
  // Only these variables: CI, NO_COLOR and others of the person who runs the tests change what Node says of colours.
  const { PATH, HOME } = process.env
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH, HOME, TERM: 'xterm-256color', ...env },
  })
  let written = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written += text))
  const [code] = (await once(child, 'close')) as [number | null]
  expect(code).toBe(0)
  return written
}

describe('a program without a terminal', () => {
  it('writes nothing by default, and lines or objects if it is told to', async () => {
    expect(await runProgram('shows-progress.js', [''])).toEqual({ code: 0, signal: null, stdout: '', stderr: '' })
    const plain = await runProgram('shows-progress.js', ['plain'])
    expect(plain).toMatchObject({ code: 0, stdout: '' })
    expect(plain.stderr).toMatch(LAST)
    const json = await runProgram('shows-progress.js', ['json'])
    expect(JSON.parse(json.stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({ state: 'done', items: 20 })
  })

  it('is not kept alive by the progress of a stream that nobody reads', async () => {
    expect(await runProgram('shows-progress.js', ['unread'])).toMatchObject({ code: 0, signal: null })
  })

  it('writes its report before it ends', async () => {
    const path = join(folder, 'runs', 'run.json')
    expect(await runProgram('shows-progress.js', ['', path])).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ version: 1, totals: { items: 20 } })
  })

  it('is warned if the report cannot be written', async () => {
    const path = join(program, 'run.html')
    const { code, stderr } = await runProgram('shows-progress.js', ['', path])
    expect(code).toBe(0)
    expect(stderr).toMatch(/Warning: Cannot write the report of a run: .*(ENOTDIR|EEXIST)/)
  })
})

const describeOnLinux = process.platform === 'linux' ? describe : describe.skip

describeOnLinux('a program on a real terminal', () => {
  it('keeps one line up to date, below what it prints, and ends with the last state', async () => {
    const written = await onTerminal('prints', 100)
    const terminal = new FakeTerminal(100)
    terminal.write(written)
    const rows = terminal.screen
    expect(rows.slice(0, -1)).toEqual(['result 50', 'result 100', 'result 150', 'result 200'])
    expect(rows.at(-1)).toMatch(/^done in .*: 200 items/)
    // It was drawn while the stream was read.

    expect(written).toMatch(/\x1b\[1m\d+ %\x1b\[22m {2}▕.*▏.* items {2}\d+ workers? \d+ %/)
  })

  it('fits into a narrow one', async () => {
    const written = await onTerminal('prints', 30)

    const lines = written.split(/\x1b\[J/).slice(1, -1)
    const texts = lines.map((text) => text.replace(/[\r\n].*/s, '').replace(/\x1b\[\d+m/g, ''))
    expect(texts.filter((text) => text.length > 29)).toEqual([])
    expect(texts.some((text) => /^\d+ %/.test(text))).toBe(true)
  })

  it('has no colours with NO_COLOR, or CI, and no line with TERM=dumb', async () => {
    expect(await onTerminal('', 100, { NO_COLOR: '1' })).not.toMatch(/\x1b\[\d+m/)
    expect(await onTerminal('', 100, { CI: 'true' })).not.toMatch(/\x1b\[\d+m/)
    expect(await onTerminal('', 100, { TERM: 'dumb' })).toBe('')
  })
})
