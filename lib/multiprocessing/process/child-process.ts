/** The process of the system of a `Process`. */
import { assertApart, assertPackedApart } from '../../codec/apart.js'
import { pack, packMoving, type Packed } from '../../codec/codec.js'
import { encodeFrame } from '../../codec/frame.js'
import { currentProcess } from '../../identity.js'
import { relay } from '../../log/record.js'
import { logSettings } from '../../log/settings.js'
import { assertUnshared } from '../../processes/process-options.js'
import { SpawnedProcess, type ProcessEnd } from '../../processes/spawned-process.js'
import { inTime } from '../../threads/in-time.js'
import type { TargetSetup } from '../../worker/process.js'
import type { LeaveMessage } from '../../worker/protocol.js'
import { TERMINATED, type Child, type ChildEvents, type ChildOptions } from './child.js'
import { argumentError } from './options.js'

/** How long a process may take after SIGTERM, in milliseconds, until it gets SIGKILL. */
const TERMINATE_TIMEOUT_MS = 1_000
/** How long a daemon may take to end by itself, in milliseconds: its `exit` handlers run meanwhile. */
const LEAVE_TIMEOUT_MS = 100

export class ChildProcess implements Child {
  readonly pid: number
  readonly #process: SpawnedProcess
  /** Settles when it has ended. */
  readonly #exited: Promise<void>
  #terminated: Promise<void> | undefined
  #wasAskedToLeave = false

  /** Throws a `NotSerializableError` for arguments that cannot be sent, and what Node throws if it cannot start a process. */
  constructor(given: ChildOptions, events: ChildEvents) {
    const { identity, target, options } = given
    const setup: TargetSetup = {
      type: 'process',
      identity: { ...identity, parent: { ...currentProcess(), pid: process.pid } },
      log: Int32Array.from(logSettings()),
      target,
      args: packedApart(given).data,
    }
    let onExited!: () => void
    this.#exited = new Promise((resolve) => {
      onExited = resolve
    })
    this.#process = new SpawnedProcess('process', setup, options, {
      receive: relay,
      unreadable: () => {
        events.failed(new Error('Cannot read a message of the process'))
        this.#process.kill()
      },
      ended: (end) => {
        this.#process.close()
        if (end.cause !== undefined) events.failed(end.cause.error)
        events.ended(this.#exitCodeOf(end))
        onExited()
      },
    })
    this.pid = this.#process.pid
  }

  keepAlive(keep: boolean): void {
    this.#process.keepAlive(keep)
  }

  terminate(): Promise<void> {
    return (this.#terminated ??= this.#terminate())
  }

  async leave(): Promise<void> {
    this.#wasAskedToLeave = true
    this.keepAlive(true)
    this.#process.post({ type: 'leave' } satisfies LeaveMessage)
    if (!(await inTime(this.#exited, LEAVE_TIMEOUT_MS))) await this.terminate()
  }

  async #terminate(): Promise<void> {
    this.keepAlive(true)
    this.#process.kill('SIGTERM')
    if (!(await inTime(this.#exited, TERMINATE_TIMEOUT_MS))) this.#process.kill('SIGKILL')
    await this.#exited
  }

  /** A daemon that ends with the program has the same exit code in a thread. */
  #exitCodeOf({ exitCode, cause }: ProcessEnd): number {
    return this.#wasAskedToLeave && exitCode === 0 && cause === undefined ? TERMINATED : exitCode
  }
}

/** The arguments, of which nothing is shared with the process. */
function packedApart({ action, args, transfer }: ChildOptions): Packed {
  try {
    encodeFrame(args)
    if (transfer.length === 0) return assertPackedApart(pack([args]))
    assertApart(args)
    return packMoving(args, transfer)
  } catch (cause) {
    assertUnshared(action, args, 'args')
    throw argumentError(action, args, cause)
  }
}
