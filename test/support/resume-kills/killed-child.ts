/** One run of `child.ts`, which ends by itself or is killed. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ChildArguments, ChildResult } from './child.js'

const PROGRAM = fileURLToPath(new URL('./child.js', import.meta.url))
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

export type ChildEnd =
  | { readonly kind: 'done'; readonly result: ChildResult }
  | { readonly kind: 'killed'; readonly signal: NodeJS.Signals; readonly wasStopped: boolean }
  | { readonly kind: 'failed'; readonly text: string }

/** @param kill Undefined: it ends by itself. */
export function runChild(given: ChildArguments, kill?: Kill): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(given)], {
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
      const result = code === 0 && line ? (JSON.parse(line) as ChildResult) : undefined
      if (isLate) resolve({ kind: 'failed', text: `It did not end within ${LIMIT} ms\n${text}` })
      else if (signal !== null && kill !== undefined) resolve({ kind: 'killed', signal, wasStopped: false })
      else if (result?.wasStopped === true) resolve({ kind: 'killed', signal: 'SIGTERM', wasStopped: true })
      else if (result !== undefined) resolve({ kind: 'done', result })
      else resolve({ kind: 'failed', text: text || `It ended with ${String(code ?? signal)}` })
    })
  })
}
