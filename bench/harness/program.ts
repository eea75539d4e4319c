/** The process of a contender, for the rounds: start it, ask for a measurement, stop it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { NotMeasured, type Case, type Contender, type Measured } from './case.js'
import { nodeBinary } from './node-binary.js'

/**
 * The output of a contender's process. First that it is ready, or the reason why it is not. Then one measurement for
 * each request.
 */
export type Reply = Measured | { readonly ready: true } | { readonly missing: string }

const CONTENDER = fileURLToPath(new URL('./contender.js', import.meta.url))
/** It is not compiled, so it is in the sources. This file is in build/bench/harness/. */
const PYTHON = fileURLToPath(new URL('../../../bench/peers/pool_imap.py', import.meta.url))

/** The longest time to close, in milliseconds: a pool must not let the others wait without end. */
const PATIENCE = 10_000

export class Program {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string, undefined>
  readonly #exited: Promise<unknown>

  private constructor(child: ChildProcess) {
    if (child.stdout === null) throw new Error('Cannot read what a contender writes as it has no pipe')
    this.#child = child
    this.#exited = once(child, 'close')
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  /** Starts a contender. Settles when it is ready. */
  static async start(of: Case, contender: Contender, parameters: unknown): Promise<Program> {
    const json = JSON.stringify(parameters)
    const node = contender.node === undefined ? process.execPath : await nodeBinary(contender.node)
    const [command, ...args] =
      contender.python === undefined
        ? [node, CONTENDER, of.name, contender.name, json]
        : ['python3', PYTHON, contender.python, json, String(availableParallelism())]
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    // The end of its output tells that it has ended.
    child.stdin.on('error', () => {})
    try {
      await once(child, 'spawn')
    } catch (error) {
      if (contender.python !== undefined) throw new NotMeasured('there is no python3 here')
      throw error
    }
    const program = new Program(child)
    const first = await program.#reply()
    if ('missing' in first) {
      await program.stop()
      throw new NotMeasured(first.missing)
    }
    return program
  }

  /** One measurement. */
  async ask(): Promise<Measured> {
    this.#child.stdin?.write('\n')
    const reply = await this.#reply()
    if (!('figure' in reply)) throw new Error(`Cannot take ${JSON.stringify(reply)} as a measurement`)
    return reply
  }

  /** Settles when the process is gone. */
  async stop(): Promise<void> {
    this.#child.stdin?.end()
    const late = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE)
    await this.#exited
    clearTimeout(late)
  }

  async #reply(): Promise<Reply> {
    const line: IteratorResult<string, undefined> = await this.#lines.next()
    if (line.done === true) {
      await this.#exited
      throw new Error(`Cannot go on as the process ended: ${this.#child.exitCode ?? this.#child.signalCode ?? ''}`)
    }
    return JSON.parse(line.value) as Reply
  }
}
