/**
 * Reads what a server has at a URL, as it is stored there. If the connection breaks, the rest is asked for, where the
 * server can tell that it has not changed.
 */
import { attempt, InputError, isErrorObject } from '../errors.js'
import type { ByteCount } from './input-meter.js'
import { DONE, type Reader } from './source.js'

type Body = ReadableStreamDefaultReader<Uint8Array>

export class UrlReader implements Reader<Buffer> {
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #count: ByteCount | undefined
  readonly #controller = new AbortController()
  #body: Body | undefined
  /** How many bytes have come, and how many of them by the last request. */
  #received = 0
  #receivedNow = 0
  /** What tells the server which version is being read. Undefined: it cannot go on in the middle. */
  #version: string | undefined
  #isClosed = false

  /** @param url May have the name and the password of a user. @param count Where the bytes that are read are counted. */
  constructor(url: string, count?: ByteCount) {
    const { username, password } = new URL(url)
    this.#url = withoutUser(url)
    this.#count = count
    const user = [username, password].map((part) => attempt(() => decodeURIComponent(part)) ?? part).join(':')
    this.#headers = {
      // Otherwise a server may compress it for the way. What comes would not be what is stored: not its size, and not its parts.
      'accept-encoding': 'identity',
      ...(user !== ':' && { authorization: `Basic ${Buffer.from(user).toString('base64')}` }),
    }
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    let broken: unknown
    while (!this.#isClosed) {
      try {
        this.#body ??= await this.#request(broken)
        const { done, value } = await this.#body.read()
        if (done) return this.#end()
        if (value.length === 0) continue
        this.#received += value.length
        this.#receivedNow += value.length
        if (this.#count !== undefined) this.#count.read += value.length
        return { done: false, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength) }
      } catch (error) {
        if (this.#isClosed) break
        const hasBegun = this.#body !== undefined
        this.#body = undefined
        // A request that has brought nothing is not made again: that might never end.
        if (error instanceof InputError || !hasBegun || this.#version === undefined || this.#receivedNow === 0) {
          await this.close()
          throw error instanceof InputError ? error : this.#brokenError(broken ?? error)
        }
        broken = error
      }
    }
    return DONE
  }

  /** A `next()` that waits is then done. May be called at any time and again. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#controller.abort()
    return Promise.resolve()
  }

  #end(): IteratorReturnResult<undefined> {
    if (this.#count !== undefined) this.#count.hasEnded = true
    this.#isClosed = true
    return DONE
  }

  /** @param broken The error that has ended the last request. */
  async #request(broken: unknown): Promise<Body> {
    this.#receivedNow = 0
    const rest = this.#version === undefined ? {} : { range: `bytes=${this.#received}-`, 'if-range': this.#version }
    const response = await fetch(withoutHash(this.#url), {
      headers: { ...this.#headers, ...rest },
      signal: this.#controller.signal,
    })
    if (broken !== undefined && !this.#isRest(response)) throw this.#brokenError(broken)
    if (!response.ok) throw this.#statusError(response)
    if (broken === undefined) this.#note(response)
    return (response.body ?? new Blob([]).stream()).getReader()
  }

  #note({ headers }: Response): void {
    if (headers.has('content-encoding')) return
    const size = headers.get('content-length')
    if (size !== null && this.#count !== undefined) this.#count.size = Number(size)
    const tag = headers.get('etag')
    // A weak one stands for several texts.
    if (tag?.startsWith('"') === true) this.#version = tag
  }

  #isRest({ status, headers }: Response): boolean {
    const [, start] = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '') ?? []
    return status === 206 && Number(start) === this.#received && !headers.has('content-encoding')
  }

  #statusError({ status, statusText }: Response): InputError {
    const received = `${status} ${statusText}`.trim()
    return this.#error(`the server must answer with a status from 200 to 299: received ${received}`)
  }

  #brokenError(error: unknown): InputError {
    const reason = reasonOf(error)
    return this.#received === 0
      ? this.#error(`its server must answer: ${reason}`, error)
      : this.#error(`all of it must come: it ended after ${this.#received} bytes (${reason})`, error)
  }

  #error(expected: string, cause?: unknown): InputError {
    const options = cause === undefined ? undefined : { cause }
    return new InputError(`Cannot read '${this.#url}' as ${expected}`, 'ERR_INPUT_URL', this.#received, options)
  }
}

/** As it is shown: passwords are left out. */
export function withoutUser(url: string): string {
  const shown = new URL(url)
  shown.username = shown.password = ''
  return shown.href
}

function withoutHash(url: string): string {
  const asked = new URL(url)
  asked.hash = ''
  return asked.href
}

/** `fetch()` tells the reason in the cause of its error, which may have a code alone. */
function reasonOf(error: unknown): string {
  const { cause } = Object(error) as { cause?: unknown }
  const told = isErrorObject(cause) ? cause : error
  const { message, code } = Object(told) as { message?: unknown; code?: unknown }
  return [message, code, told].filter((text) => typeof text === 'string' && text !== '').join(' ') || String(told)
}
