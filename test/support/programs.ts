/** Runs the programs of `test/fixtures/programs` in a separate Node, and reports how they ended. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Ending {
  /** `null` when a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** Options of Node. */
  readonly execArgv?: readonly string[]
  /** Environment variables besides those of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** Its working directory. */
  readonly cwd?: string
  /** Written to its standard input. */
  readonly input?: string
  /** The signal that is sent when it has printed a line 'ready'. */
  readonly kill?: NodeJS.Signals
  /** The time limit in milliseconds. Default: 20,000. */
  readonly limit?: number
  /** It is killed if it prints a text more often than this. */
  readonly most?: { readonly of: string; readonly times: number }
}

/** The default time limit in milliseconds. A program that does not end in time is killed, and its test fails. */
const LIMIT = 20_000

/** Runs a compiled program: a name in the folder of programs, or a path. */
export function runProgram(program: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Ending> {
  const path = fileURLToPath(new URL(`../fixtures/programs/${program}`, import.meta.url))
  return runNode([...(options.execArgv ?? []), path, ...args], options)
}

/** Runs Node with any arguments. */
export function runNode(
  args: readonly string[],
  { cwd, env, input, kill, most, limit = LIMIT }: RunOptions = {},
): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd,
      stdio: 'pipe',
      env: { ...process.env, NODE_OPTIONS: '', ...env },
    })
    const written = { stdout: '', stderr: '' }
    let killed = false
    const timer = setTimeout(() => {
      written.stderr += `\n(killed by the test, as it had not ended by itself within ${limit} ms)`
      child.kill('SIGKILL')
    }, limit)
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        written[name] += text
        if (most !== undefined && written.stdout.split(most.of).length > most.times + 1) child.kill('SIGKILL')
        if (kill === undefined || killed || !/^ready$/m.test(written.stdout)) return
        killed = true
        child.kill(kill)
      })
    }
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, ...written })
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
