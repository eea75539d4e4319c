/** The thread of a `Process`. */
import { decodeError } from '../../codec/error-codec/decode.js'
import { pack, packMoving } from '../../codec/codec.js'
import { currentProcess } from '../../identity.js'
import { logSettings } from '../../log/settings.js'
import { untilExited } from '../../threads/exit.js'
import { launch } from '../../threads/launch.js'
import type { SpawnableWorker } from '../../threads-package.js'
import type { ProcessNews, ProcessSetup } from '../../worker/process.js'
import { TERMINATED, type Child, type ChildEvents, type ChildOptions } from './child.js'
import { EndRequest } from './end-request.js'
import { argumentError } from './options.js'

export class ChildThread implements Child {
  readonly pid: number
  readonly #worker: SpawnableWorker
  readonly #exited: Promise<void>
  /** Only a daemon has one. */
  readonly #endRequest: EndRequest | undefined
  #wasTerminated = false
  #endsByItself = false
  #hasFailed = false

  /** Throws a `NotSerializableError` for arguments that cannot be sent. */
  constructor(given: ChildOptions, events: ChildEvents) {
    const { action, identity, target, args, transfer, options } = given
    this.#worker = launch(identity.name, options)
    this.pid = this.#worker.threadId
    try {
      if (identity.daemon) this.#endRequest = new EndRequest()
      const endPort = this.#endRequest?.port
      const packed = transfer.length > 0 ? packMoving(args, transfer) : pack([args])
      for (const object of packed.shared ?? []) object.transferTo?.(this.pid)
      const setup: ProcessSetup = {
        type: 'process',
        identity: { ...identity, parent: currentProcess() },
        log: logSettings(),
        target,
        args: packed.data,
        endPort,
      }
      this.#worker.postMessage(setup, [...(endPort ? [endPort] : []), ...packed.transfer])
    } catch (cause) {
      void this.#worker.terminate()
      throw argumentError(action, args, cause)
    }
    this.#exited = this.#listen(events)
  }

  keepAlive(keep: boolean): void {
    if (keep) this.#worker.ref()
    else this.#worker.unref()
  }

  async terminate(): Promise<void> {
    this.#wasTerminated = true
    await this.#worker.terminate()
    await this.#exited
  }

  async leave(): Promise<void> {
    this.#wasTerminated = true
    this.#worker.ref()
    this.#endRequest?.send()
    await untilExited(this.#worker, this.#exited, () => true)
    await this.terminate()
  }

  #listen({ failed, ended }: ChildEvents): Promise<void> {
    const fail = (error: unknown): void => {
      this.#hasFailed = true
      failed(error)
    }
    this.#worker.on('error', fail)
    // The target can also post messages.
    this.#worker.on('message', (news: ProcessNews | null | undefined) => {
      if (news?.type === 'millrace.failed') fail(decodeError(news.error))
      else if (news?.type === 'millrace.exit') this.#endsByItself = true
    })
    return new Promise((resolve) => {
      this.#worker.once('exit', (exitCode) => {
        this.#endRequest?.close()
        ended(this.#wasTerminated && !this.#endsByItself && !this.#hasFailed ? TERMINATED : exitCode)
        resolve()
      })
    })
  }
}
