/**
 * A process of the system that runs a program of this library: its start, its messages, how far it is, and its end. The meaning of
 * the messages is a matter of its owner.
 *
 * It has three handles besides its output: a pipe for messages, the file of its progress, and a pipe on which nothing is sent. When this
 * process or this thread ends, however that happens, both pipes close, and that process ends.
 */
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import type { Socket } from 'node:net'
import { constants } from 'node:os'
import { encodeFrame, FrameError, FrameReader, UnreadableFrameError } from '../codec/frame.js'
import { onLogSettings } from '../log/settings.js'
import type { LaunchOptions } from '../threads/launch.js'
import { processFile, type ProcessProgram } from '../worker-file.js'
import { CHILD_MARK } from '../identity.js'
import { MESSAGES_FD, PARENT_FD } from './handles.js'
import { nodeArguments } from './node-arguments.js'
import { ProgressFile } from './progress-file.js'

/**
 * How long the pipe may stay open after the exit, in milliseconds: a process that the worker has started may hold it. And how long the
 * process may go on without the pipe.
 */
const CLOSE_TIMEOUT_MS = 1_000

export interface ProcessEnd {
  /** If a signal has ended it: minus its number. */
  readonly exitCode: number
  readonly signal: NodeJS.Signals | undefined
  /** Its uncaught error, or why it could not be started, or be understood. */
  readonly cause: { readonly error: unknown } | undefined
  /** Whether the cause is an error that nobody has caught in it. */
  readonly isUncaught: boolean
}

export interface ProcessEvents {
  readonly receive: (message: unknown) => void
  /** A message of it could not be read. */
  readonly unreadable: () => void
  /** It has ended, and all that it has sent was received. */
  readonly ended: (end: ProcessEnd) => void
}

export class SpawnedProcess {
  readonly #events: ProcessEvents
  readonly #progress: ProgressFile
  readonly #child: ChildProcess
  readonly #pipe: Socket | undefined
  readonly #reader: FrameReader
  readonly #stopLog: () => void
  /** How it has exited, and whether its pipe is closed: it has ended when both are known. */
  #exit: Pick<ProcessEnd, 'exitCode' | 'signal'> | undefined
  #isClosed = false
  #hasEnded = false
  #cause: { readonly error: unknown } | undefined

  /**
   * Starts it. Throws if that shows to be impossible at once; otherwise `ended` is called.
   *
   * @param setup Its first message. Throws, and starts nothing, if it cannot be cloned.
   */
  constructor(
    program: ProcessProgram,
    setup: unknown,
    { execArgv, env, resourceLimits }: LaunchOptions,
    events: ProcessEvents,
  ) {
    const first = encodeFrame(setup)
    this.#events = events
    this.#progress = new ProgressFile()
    const args = nodeArguments(execArgv, resourceLimits)
    try {
      this.#child = spawn([...args, processFile(program), CHILD_MARK], {
        stdio: ['ignore', 'inherit', 'inherit', 'pipe', this.#progress.fd, 'pipe'],
        windowsHide: true,
        ...(env !== undefined && { env: env as NodeJS.ProcessEnv }),
      })
    } catch (error) {
      this.#progress.close()
      throw error
    }
    this.#reader = new FrameReader(events.receive)
    this.#stopLog = onLogSettings((cells) => {
      this.post({ type: 'log', cells })
    })
    this.#child.on('error', (error) => {
      if (this.#child.pid !== undefined) return
      this.#cause = { error }
      this.#isClosed = true
      this.#onExit(1, null)
    })
    this.#child.once('exit', (code, signal) => {
      this.#onExit(code, signal)
    })
    // Without handles for the pipes there is no child either.
    const [pipe, parent] = [MESSAGES_FD, PARENT_FD].map((fd) => this.#child.stdio?.[fd] as Socket | null | undefined)
    parent?.on('error', () => undefined).unref()
    this.#pipe = pipe ?? undefined
    this.#listen()
    this.#write(first)
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  /** Sends a message. Throws if it cannot be cloned. It is lost if the process has ended. */
  post(message: unknown): void {
    this.#write(encodeFrame(message))
  }

  #write(frame: Buffer): void {
    if (this.#pipe?.writable === true) this.#pipe.write(frame)
  }

  /** Copies the cells that the process has written last. */
  readProgress(cells: Int32Array): void {
    this.#progress.read(cells)
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal)
  }

  /** Lets it keep the program alive, or not. */
  keepAlive(keep: boolean): void {
    if (this.#hasEnded) return
    if (keep) this.#child.ref()
    else this.#child.unref()
    if (keep) this.#pipe?.ref()
    else this.#pipe?.unref()
  }

  /** Nobody asks for its progress any more. */
  close(): void {
    this.#progress.close()
  }

  #listen(): void {
    const pipe = this.#pipe
    if (pipe === undefined) return
    pipe.on('data', (bytes: Buffer) => {
      try {
        this.#reader.push(bytes)
      } catch (error) {
        if (error instanceof FrameError) {
          this.#cause = { error }
          this.kill()
        } else if (error instanceof UnreadableFrameError) this.#events.unreadable()
        else throw error
        this.#reader.clear()
      }
    })
    // A write after its end. The end is told otherwise.
    pipe.on('error', () => undefined)
    pipe.once('close', () => {
      this.#isClosed = true
      this.#settle()
      // Its task has closed the pipe: it gets no messages any more, and cannot know that.
      if (this.#hasEnded) return
      setTimeout(() => {
        this.kill()
      }, CLOSE_TIMEOUT_MS).unref()
    })
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#exit !== undefined) return
    const exitCode = signal === null ? (code ?? 1) : -(constants.signals[signal] ?? 1)
    this.#exit = { exitCode, signal: signal ?? undefined }
    if (!this.#isClosed) setTimeout(() => this.#pipe?.destroy(), CLOSE_TIMEOUT_MS).unref()
    this.#settle()
  }

  #settle(): void {
    if (this.#exit === undefined || !this.#isClosed || this.#hasEnded) return
    this.#hasEnded = true
    this.#stopLog()
    const uncaught = this.#cause === undefined ? this.#progress.uncaught() : undefined
    this.#events.ended({ ...this.#exit, cause: this.#cause ?? uncaught, isUncaught: uncaught !== undefined })
  }
}

/** The module takes milliseconds to load, and most programs have no worker processes. */
function spawn(args: readonly string[], options: SpawnOptions): ChildProcess {
  return process.getBuiltinModule('node:child_process').spawn(process.execPath, args, options)
}
