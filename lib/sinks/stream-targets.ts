/** Node and web streams that bytes are written to. */
import { finished } from 'node:stream'
import { OutputError } from '../errors.js'
import { standardOutput } from '../io/standard-output.js'
import { ReaderLeft, type ByteTarget } from './target.js'

/** A Node stream that takes bytes, such as a socket, the response of a server, or `process.stdout`. */
export interface NodeWritable {
  write(bytes: Uint8Array, callback: (error?: Error | null) => void): boolean
  end(): unknown
  on(event: 'close' | 'error', listener: (error?: unknown) => void): unknown
}

/** A web stream that takes bytes. */
export interface WebWritable {
  readonly locked: boolean
  getWriter(): {
    readonly closed: Promise<unknown>
    write(bytes: Uint8Array): Promise<unknown>
    close(): Promise<unknown>
    abort(reason?: unknown): Promise<unknown>
    releaseLock(): void
  }
}

export function isNodeWritable(value: unknown): value is NodeWritable {
  const { write, end, on } = Object(value) as Partial<Record<keyof NodeWritable, unknown>>
  return [write, end, on].every((method) => typeof method === 'function')
}

export function isWebWritable(value: unknown): value is WebWritable {
  return typeof (Object(value) as { getWriter?: unknown }).getWriter === 'function'
}

export class NodeTarget implements ByteTarget {
  readonly path = undefined
  readonly isLive = true
  readonly #stream: NodeWritable
  /** Settles when it has finished; rejects when it fails, or is closed before. */
  #over: Promise<void> | undefined
  #hasEnded = false
  #stopWatching: (() => void) | undefined

  constructor(stream: NodeWritable) {
    this.#stream = stream
  }

  /** Others write there, too, and nobody may close it. */
  get #isShared(): boolean {
    return [standardOutput(), process.stderr].some((stream) => (stream as unknown) === this.#stream)
  }

  async open(onFail: (error: unknown) => void): Promise<void> {
    const over = new Promise<void>((resolve, reject) => {
      this.#stopWatching = finished(this.#stream as never, { readable: false }, (error) => {
        if (error === undefined || error === null) resolve()
        else reject(this.#told(error))
      })
    })
    this.#over = over
    over.then(() => {
      if (!this.#hasEnded) onFail(closedError())
    }, onFail)
    // A stream that has ended says so in the next turn.
    await new Promise((resolve) => setImmediate(resolve))
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    let isWritten: Promise<void> | undefined
    for (const chunk of chunks) {
      isWritten = new Promise((resolve, reject) => {
        this.#stream.write(chunk, (error) => {
          if (error === undefined || error === null) resolve()
          else reject(error)
        })
      })
      isWritten.catch(noop)
    }
    try {
      await isWritten
    } catch (error) {
      // The event tells more, and comes later. It must be heard, or the process would end by it.
      await Promise.race([this.#over, laterTurn()])
      throw this.#told(error)
    }
  }

  async finish(): Promise<void> {
    this.#hasEnded = true
    if (!this.#isShared) {
      this.#stream.end()
      await this.#over
    }
    this.#stopWatching?.()
  }

  async publish(): Promise<void> {
    // What was written is there.
  }

  async discard(error: unknown): Promise<void> {
    this.#hasEnded = true
    this.#over?.catch(noop)
    // Its `error` event is not for the user, who gets the error by the promise.
    if (!this.#isShared) {
      this.#stream.on('error', noop)
      const { destroy } = this.#stream as { destroy?: (error: unknown) => unknown }
      destroy?.call(this.#stream, error instanceof ReaderLeft ? undefined : error)
    }
    await laterTurn()
    this.#stopWatching?.()
  }

  #told(error: unknown): unknown {
    const { code } = Object(error) as { code?: unknown }
    if (code === 'EPIPE' && (this.#stream as unknown) === standardOutput()) return new ReaderLeft()
    return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ERR_STREAM_DESTROYED' ? closedError(error) : error
  }
}

export class WebTarget implements ByteTarget {
  readonly path = undefined
  readonly isLive = true
  readonly #stream: WebWritable
  #writer: ReturnType<WebWritable['getWriter']> | undefined
  #hasEnded = false

  constructor(stream: WebWritable) {
    this.#stream = stream
  }

  async open(onFail: (error: unknown) => void): Promise<void> {
    const writer = this.#stream.getWriter()
    this.#writer = writer
    writer.closed.then(() => {
      if (!this.#hasEnded) onFail(closedError())
    }, onFail)
    await laterTurn()
  }

  /** Its `write()` settles when the bytes were taken: the pressure of the stream. */
  async write(chunks: readonly Uint8Array[]): Promise<void> {
    const writer = this.#writer
    if (writer !== undefined) await Promise.all(chunks.map((chunk) => writer.write(chunk)))
  }

  async finish(): Promise<void> {
    this.#hasEnded = true
    await this.#writer?.close()
    this.#writer?.releaseLock()
  }

  async publish(): Promise<void> {
    // What was written is there.
  }

  async discard(error: unknown): Promise<void> {
    this.#hasEnded = true
    const writer = this.#writer
    this.#writer = undefined
    // A stream that has failed says so again.
    await writer?.abort(error).catch(noop)
    writer?.releaseLock()
  }
}

function closedError(cause?: unknown): OutputError {
  const text = 'Cannot write to the stream as it was closed before the end: let write() end it'
  return new OutputError(text, 'ERR_OUTPUT_CLOSED', cause === undefined ? undefined : { cause })
}

function laterTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function noop(): void {
  // Nothing is to be done.
}
