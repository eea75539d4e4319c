/** Runs the compiled examples as their users do: in a separate Node. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Ending {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Surroundings {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** A path: standard input is that file. Chunks: a pipe that gives them and ends. Default: a pipe that stays open and silent. */
  readonly stdin?: string | readonly Uint8Array[]
  /** Whether the reader of its output leaves before the first output. */
  readonly deaf?: boolean
}

/** The URL of a compiled file of `examples/`. */
export function compiled(path: string): string {
  return new URL(`../../examples-out/${path}`, import.meta.url).href
}

/** Runs an example to its end. */
export async function runExample(path: string, args: readonly string[], around: Surroundings = {}): Promise<Ending> {
  const { cwd, env, stdin, deaf = false } = around
  const file = typeof stdin === 'string' ? openSync(stdin, 'r') : undefined
  const child = spawn(process.execPath, [fileURLToPath(compiled(path)), ...args], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: [file ?? 'pipe', 'pipe', 'pipe'],
  })
  if (file !== undefined) closeSync(file)
  child.stdin?.on('error', () => {})
  if (typeof stdin === 'object') {
    for (const chunk of stdin) child.stdin?.write(chunk)
    child.stdin?.end()
  }
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => (written[name] += text))
  }
  if (deaf) child.stdout?.destroy()
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...written }
}
