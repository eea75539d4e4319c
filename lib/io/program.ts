/** Runs a program on the bytes of a source: a reader of its output. The program ends with the reading. */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { InputError, received } from '../errors.js'
import { closeWithTimeout } from './close-with-timeout.js'
import { DONE, openSource, type Reader } from './source.js'

/** How much of its error output is kept, in characters: the end. */
const MAX_STDERR_LENGTH = 2048

type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** How a program ended: with a code, by a signal, or not started at all. */
interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly error?: NodeJS.ErrnoException
}

/** The option by which a program is given, for `OptionReader.value()`. */
export const PROGRAM_EXPECTED = "an array of a program and its arguments, such as ['xz', '-dc']"

export function isProgram(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value[0] !== '' && value.every(isArgument)
}

export function programHint(value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '') return ''
  return ` (write ${received(value.trim().split(/\s+/))})`
}

/** No program can be given a zero. */
function isArgument(value: unknown): boolean {
  return typeof value === 'string' && !value.includes('\0')
}

const NO_OUTPUT: Reader<Buffer> = { next: () => DONE, close: () => undefined }

export class ProgramReader implements Reader<Buffer> {
  readonly #command: readonly string[]
  readonly #source: Reader<Buffer>
  #child: Child | undefined
  #output: Reader<Buffer> | undefined
  #ending: Promise<Ending> | undefined
  #feeding: Promise<void> | undefined
  /** An error of the source. It is thrown after the output for all bytes before it. */
  #sourceError: { readonly error: unknown } | undefined
  #sourceEnded = false
  /** How many bytes the program was given. */
  #given = 0
  #stderr = ''
  #closing: Promise<void> | undefined

  /** @param command A program and its arguments. It is found as the system finds programs, and no shell is used. */
  constructor(command: readonly string[], source: Reader<Buffer>) {
    this.#command = command
    this.#source = source
  }

  /** Starts the program at the first call. */
  async next(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#closing !== undefined) return DONE
    const output = (this.#output ??= this.#start())
    let result: IteratorResult<Buffer> = DONE
    try {
      result = await output.next()
    } catch {
      // Its output was destroyed: because it did not start, or as the reader was closed.
    }
    if (!result.done) return result
    await this.#finish()
    return DONE
  }

  /** Ends the program, and closes the source. May be called at any time and again. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #start(): Reader<Buffer> {
    let child: Child
    try {
      const [program = '', ...args] = this.#command
      child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true })
    } catch (error) {
      // Some errors are thrown, such as that of a .cmd file, which only a shell can run.
      this.#ending = Promise.resolve({ code: null, signal: null, error: error as NodeJS.ErrnoException })
      return NO_OUTPUT
    }
    this.#child = child
    this.#ending = new Promise((resolve) => {
      // After 'error' there may be a 'close', or none.
      child.once('error', (error) => {
        resolve({ code: null, signal: null, error })
      })
      child.once('close', (code, signal) => {
        resolve({ code, signal })
      })
    })
    // Without file descriptors for them, there are none, and an 'error' follows.
    if (child.stdout === undefined) return NO_OUTPUT
    child.stdout.on('error', () => {})
    // A program may end without reading all of its input. What it ends with tells whether that is an error.
    child.stdin.on('error', () => {})
    child.stderr.setEncoding('utf8').on('error', () => {})
    child.stderr.on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_LENGTH)
    })
    this.#feeding = this.#feed(child.stdin)
    return openSource<Buffer>(child.stdout)
  }

  /** Gives the program the bytes of the source, as fast as it takes them. Never rejects. */
  async #feed(input: Writable): Promise<void> {
    try {
      while (this.#closing === undefined && !input.destroyed) {
        const result = await this.#source.next()
        if (result.done) {
          this.#sourceEnded = true
          break
        }
        // A block is only valid until the next one is asked for.
        if (!(await taken(input, result.value))) break
        this.#given += result.value.length
      }
    } catch (error) {
      this.#sourceEnded = true
      this.#sourceError = { error }
    }
    input.end()
  }

  /** Waits until the program has ended, and throws if it has failed. */
  async #finish(): Promise<void> {
    const ending = await this.#ending
    if (this.#closing !== undefined || ending === undefined) return
    this.#child?.stdin?.destroy()
    // The source may be silent, and its bytes are not needed any more.
    if (!this.#sourceEnded) await closeWithTimeout(this)
    else await this.#feeding
    if (this.#sourceError !== undefined) throw this.#sourceError.error
    const { code, error } = ending
    if (error !== undefined) throw this.#startError(error)
    if (code !== 0) throw this.#exitError(ending)
  }

  async #close(): Promise<void> {
    const child = this.#child
    if (child !== undefined) {
      // Not a signal that it could ignore: it has nothing to save.
      child.kill('SIGKILL')
      child.stdin?.destroy()
      child.stdout?.destroy()
      child.stderr?.destroy()
    }
    if (!this.#sourceEnded) {
      this.#sourceEnded = true
      await this.#source.close()
    }
    await this.#ending
  }

  #startError(cause: NodeJS.ErrnoException): InputError {
    const [program = ''] = this.#command
    const cure = cause.code === 'ENOENT' ? 'install it, or give its path' : cause.message
    return this.#error(`the program '${shown(program)}' must start`, cause.code ?? cause.message, cure, cause)
  }

  #exitError({ code, signal }: Ending): InputError {
    const command = shown(this.#command.join(' '))
    const what = signal === null ? `exit code ${code ?? 'null'}` : `the signal ${signal}`
    return this.#error(`'${command}' must end with exit code 0`, what, shown(this.#stderr.trim()))
  }

  #error(expected: string, what: string, more: string, cause?: Error): InputError {
    return new InputError(
      `Cannot decompress the input as ${expected}: received ${what}${more === '' ? '' : ` (${more})`}`,
      'ERR_DECOMPRESS',
      this.#given,
      cause === undefined ? undefined : { cause },
    )
  }
}

/** Whether the program took the bytes. */
async function taken(input: Writable, block: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const closed = (): void => {
      resolve(false)
    }
    input.once('close', closed)
    input.write(block, (error) => {
      input.off('close', closed)
      resolve(!error)
    })
  })
}

/** The longest text of a program in an error text, in characters. */
const MAX_SHOWN_LENGTH = 300

/** On one line, without what would control a terminal. */
function shown(text: string): string {
  const line = text.replace(/[\s\x00-\x1f\x7f-\x9f]+/g, ' ')
  return line.length > MAX_SHOWN_LENGTH ? `…${line.slice(-MAX_SHOWN_LENGTH)}` : line
}
