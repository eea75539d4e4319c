/** Runs `npx millrace`, as users do. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../../dist/cli/millrace.cjs', import.meta.url))

/** The path of a compiled fixture. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
}

export class CommandRun implements AsyncDisposable {
  /** All that it has written. */
  text = ''
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #wake = (): void => {}

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [PROGRAM, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', ...env },
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.text += text
        this.#wake()
      })
    }
    this.#closed = once(this.#child, 'close')
    void this.#closed.then(() => {
      this.#wake()
    })
  }

  /** Resolves when it has written a text. */
  async written(text: string): Promise<void> {
    while (!this.text.includes(text)) {
      if (this.#child.exitCode !== null) throw new Error(`It ended with ${this.#child.exitCode}:\n${this.text}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Its exit code, or the signal that has ended it. */
  async ended(): Promise<number | string | null> {
    await this.#closed
    return this.#child.exitCode ?? this.#child.signalCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill('SIGKILL')
    await this.#closed
  }
}

/** Runs a command to its end. */
export async function command(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | string | null; readonly text: string }> {
  const run = new CommandRun(args, env)
  const code = await run.ended()
  return { code, text: run.text }
}

/** Starts a host, and waits until it serves. */
export async function startHost(
  url: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandRun> {
  const run = new CommandRun(['worker', fixture('nats-tasks.js'), '--servers', url, '--slots', '2', ...args], env)
  await run.written('is ready')
  return run
}
