/** Runs `npx millrace` over files, as a shell does: in a separate folder, alone, in a shell's line, or on a terminal. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runNode, type Ending, type RunOptions } from './programs.js'

export const PROGRAM = fileURLToPath(new URL('../../../dist/cli/millrace.cjs', import.meta.url))

/** What is typed, once the terminal shows a text. */
export type Typed = readonly [after: string, text: string]

export class CommandFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'millrace-cli-'))

  constructor() {
    this.write('package.json', '{ "type": "module" }')
    afterAll(() => {
      rmSync(this.path, { recursive: true })
    })
  }

  at(...names: readonly string[]): string {
    return join(this.path, ...names)
  }

  write(name: string, data: string | Uint8Array): string {
    const path = this.at(name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, data)
    return path
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Ending> {
    return runNode([PROGRAM, ...args], { cwd: this.path, ...options })
  }

  /** Runs a line of a shell in which `millrace` is the command. */
  async shell(line: string, env: Readonly<Record<string, string>> = {}): Promise<Ending> {
    const child = spawn('sh', ['-c', `millrace() { '${process.execPath}' '${PROGRAM}' "$@"; }\n${line}`], {
      cwd: this.path,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', ...env },
    })
    const written = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => (written[name] += text))
    }
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (...end) => {
        resolve(end)
      })
    })
    return { code, signal, ...written }
  }

  /** Runs a line of a shell on a new terminal of 100 columns. @returns All that the terminal was sent. */
  async terminal(line: string, env: NodeJS.ProcessEnv = {}, typed: readonly Typed[] = []): Promise<string> {
    const { PATH, HOME } = process.env
    const command = `millrace() { '${process.execPath}' '${PROGRAM}' "$@"; }; stty cols 100 rows 24; ${line}`
    const child = spawn('script', ['-qec', `sh -c ${quoted(command)}`, '/dev/null'], {
      cwd: this.path,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH, HOME, TERM: 'xterm-256color', ...env },
    })
    let written = ''
    const waiting = [...typed]
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      written += text
      for (let [next] = waiting; next !== undefined && written.includes(next[0]); [next] = waiting) {
        waiting.shift()
        child.stdin.write(next[1])
      }
    })
    await once(child, 'close')
    return written
  }

  /** Starts a run whose standard input stays open. */
  start(args: readonly string[]): Started {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: this.path,
      stdio: 'pipe',
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    return new Started(child)
  }
}

/** A run that has been started. */
export class Started {
  readonly child: ChildProcessWithoutNullStreams
  readonly #written = { stdout: '', stderr: '' }
  readonly #end: Promise<Ending>

  constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => (this.#written[name] += text))
    }
    this.#end = once(child, 'close').then(([code, signal]: unknown[]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      ...this.#written,
    }))
    child.stdin.on('error', () => {})
  }

  /** Settles when it has said a text on its standard error. Rejects if it ends before. */
  async said(text: string): Promise<void> {
    while (!this.#written.stderr.includes(text)) {
      const ended = this.#end.then(({ stderr }) => {
        throw new Error(`It has ended, and has not said '${text}': ${stderr}`)
      })
      await Promise.race([once(this.child.stderr, 'data'), ended])
    }
  }

  end(): Promise<Ending> {
    return this.#end
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
