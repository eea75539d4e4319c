/** A program in a separate process, which ends by itself or is killed. It prints a line when it begins, and its result at its end. */
import { spawn } from 'node:child_process'

/** How long a run may take, in milliseconds. */
const LIMIT = 60_000

/** When a run is killed, and how. */
export interface Kill {
  /** In milliseconds, after it has begun to work, or after its process was started. */
  readonly delay: number
  readonly since: 'begin' | 'start'
  readonly signal: 'SIGKILL' | 'SIGTERM'
  /** After SIGTERM: when SIGKILL follows, in milliseconds. Undefined: never. */
  readonly killAfter?: number | undefined
}

export type KillableEnd<R> =
  | { readonly kind: 'done'; readonly result: R }
  | { readonly kind: 'killed'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'failed'; readonly text: string }

/**
 * @param given Its argument, as JSON. Its second line is its result, as JSON.
 * @param kill Undefined: it ends by itself.
 * @param node The path of the Node that runs it.
 */
export function runKillable<R>(
  program: string,
  given: object,
  kill?: Kill,
  node: string = process.execPath,
): Promise<KillableEnd<R>> {
  return new Promise((resolve, reject) => {
    const child = spawn(node, [program, JSON.stringify(given)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    const timers: NodeJS.Timeout[] = []
    const after = (delay: number, act: () => void): void => {
      timers.push(setTimeout(act, delay))
    }
    let isLate = false
    after(LIMIT, () => {
      isLate = true
      child.kill('SIGKILL')
    })
    const killLater = ({ delay, signal, killAfter }: Kill): void => {
      after(delay, () => {
        child.kill(signal)
        if (killAfter !== undefined) after(killAfter, () => child.kill('SIGKILL'))
      })
    }
    let out = ''
    let text = ''
    if (kill?.since === 'start') killLater(kill)
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (out === '' && kill?.since === 'begin') killLater(kill)
      out += chunk
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    child.once('error', reject)
    child.once('close', (code, signal) => {
      timers.forEach(clearTimeout)
      const [, line] = out.split('\n')
      if (isLate) resolve({ kind: 'failed', text: `It did not end within ${LIMIT} ms\n${text}` })
      else if (signal !== null && kill !== undefined) resolve({ kind: 'killed', signal })
      else if (code === 0 && line) resolve({ kind: 'done', result: JSON.parse(line) as R })
      else resolve({ kind: 'failed', text: text || `It ended with ${String(code ?? signal)}` })
    })
  })
}
