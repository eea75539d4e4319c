/** Programs of the shell: what is started, what it writes, and how it is measured. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, createReadStream, openSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { NotMeasured, type Entry } from '../harness/case.js'

const MILLRACE = resolve(import.meta.dirname, '../../../dist/cli/millrace.cjs')
/** How often the memory of a program is looked at, in milliseconds. Its peak only rises. */
const LOOK_MS = 20

/** What is run, with its arguments. */
export type Command = readonly [program: string, ...args: readonly string[]]

/** A command that reads a file as its standard input. */
export function reading(path: string, command: Command): Command {
  return ['sh', '-c', 'exec "$@" < "$0"', path, ...command]
}

/** A command line of millrace. */
export function millrace(...args: readonly string[]): Command {
  return [process.execPath, MILLRACE, ...args]
}

/** A module of this folder. */
export function moduleOf(name: string): string {
  return resolve(import.meta.dirname, name)
}

/** @throws NotMeasured if the program is not there. */
export function assertInstalled(program: string): void {
  if (spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined) return
  throw new NotMeasured(`there is no ${program} here: npm run bench:programs installs it`)
}

/** Runs a command. Its output goes to a file, or nowhere. @throws if it fails. */
export async function run([program, ...args]: Command, output?: string): Promise<void> {
  const file = output === undefined ? ('ignore' as const) : openSync(output, 'w')
  try {
    await succeeded(program, spawn(program, args, { stdio: ['ignore', file, 'inherit'] }))
  } finally {
    if (file !== 'ignore') closeSync(file)
  }
}

/** Runs a command whose output does not matter. @returns The peak memory of its process, in MB (10⁶ bytes). */
export async function peakOf([program, ...args]: Command): Promise<number> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  let peak = 0
  const timer = setInterval(() => {
    // It may have ended.
    const status = attempt(() => readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? ''
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? []
    peak = Math.max(peak, (Number(kibibytes ?? 0) * 1_024) / 1e6)
  }, LOOK_MS)
  try {
    await succeeded(program, child)
  } finally {
    clearInterval(timer)
  }
  return peak
}

/** Measures a command by its time, in seconds. `answerOf` looks at what it has written, afterwards. */
export function timedCommand(command: Command, answerOf: (output: string) => unknown): Entry['run'] {
  const output = join(tmpdir(), `millrace-bench-cli-${process.pid}.out`)
  return async () => {
    const start = performance.now()
    await run(command, output)
    const figure = (performance.now() - start) / 1_000
    const answer = await answerOf(output)
    await rm(output)
    return { figure, answer }
  }
}

/** A fingerprint of a file. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha1')
  for await (const block of createReadStream(path) as AsyncIterable<Buffer>) hash.update(block)
  return hash.digest('hex')
}

async function succeeded(program: string, child: ChildProcess): Promise<void> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  if (code !== 0) throw new Error(`Cannot measure ${program} as it has ended with ${signal ?? `exit code ${code}`}`)
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}
