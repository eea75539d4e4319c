/** Runs `npx millrace` over files, as a shell does: in a separate folder, alone or as part of a shell's line. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runNode, type Ending, type RunOptions } from './programs.js'

export const PROGRAM = fileURLToPath(new URL('../../../dist/cli/millrace.cjs', import.meta.url))

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
}
