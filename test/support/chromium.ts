/** A headless Chromium for tests, driven by its DevTools protocol through a pipe. It needs no package. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

interface Message {
  readonly id?: number
  readonly sessionId?: string
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

function executable(): string {
  const found = NAMES.find((name) => spawnSync(name, ['--version']).status === 0)
  if (found === undefined) throw new Error('This test needs Chromium: apt-get install chromium')
  return found
}

export class Browser {
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #input: Writable
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  readonly #listeners = new Set<(message: Message) => void>()
  #lastId = 0
  #rest = ''

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'millrace-chromium-'))
    const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run']
    this.#child = spawn(
      executable(),
      [...flags, '--remote-debugging-pipe', `--user-data-dir=${this.#folder}`, 'about:blank'],
      {
        stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      },
    )
    this.#input = this.#child.stdio[3] as Writable
    ;(this.#child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
      const messages = (this.#rest + text).split('\0')
      this.#rest = messages.pop() ?? ''
      for (const message of messages) this.#receive(JSON.parse(message) as Message)
    })
    this.#child.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Chromium has ended'))
    })
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<unknown> {
    const id = ++this.#lastId
    this.#input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
    })
  }

  listen(listener: (message: Message) => void): void {
    this.#listeners.add(listener)
  }

  /** Opens a page, and waits until it is loaded. */
  async open(url: string, { width = 1280, height = 1600, isDark = false } = {}): Promise<Page> {
    const { targetId } = (await this.send('Target.createTarget', { url: 'about:blank' })) as { targetId: string }
    const { sessionId } = (await this.send('Target.attachToTarget', { targetId, flatten: true })) as {
      sessionId: string
    }
    const page = new Page(this, sessionId)
    for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await page.send(`${domain}.enable`)
    await page.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false })
    await page.send('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-color-scheme', value: isDark ? 'dark' : 'light' }],
    })
    await page.load(url)
    return page
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#input.write(`${JSON.stringify({ id: ++this.#lastId, method: 'Browser.close' })}\0`)
    await ended
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  #receive(message: Message): void {
    if (message.id === undefined) {
      for (const listener of this.#listeners) listener(message)
      return
    }
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.error === undefined) waiting?.resolve(message.result)
    else waiting?.reject(new Error(message.error.message))
  }
}

export class Page {
  /** The addresses of all that it has asked for. */
  readonly requests: string[] = []
  /** Those of them that the policy of the page has blocked. */
  readonly blocked: string[] = []
  /** Errors of scripts, and what the browser complains about: for example what a policy has blocked. */
  readonly complaints: string[] = []
  readonly #browser: Browser
  readonly #session: string
  #onLoad: (() => void) | undefined

  constructor(browser: Browser, session: string) {
    this.#browser = browser
    this.#session = session
    const addresses = new Map<string, string>()
    browser.listen(({ sessionId, method, params }) => {
      if (sessionId !== session) return
      if (method === 'Page.loadEventFired') this.#onLoad?.()
      else if (method === 'Network.requestWillBeSent') {
        const { request, requestId } = params as { request: { url: string }; requestId: string }
        addresses.set(requestId, request.url)
        this.requests.push(request.url)
      } else if (method === 'Network.loadingFailed') {
        const { requestId, blockedReason } = params as { requestId: string; blockedReason?: string }
        if (blockedReason === 'csp') this.blocked.push(addresses.get(requestId) ?? '')
      } else if (method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded') {
        this.complaints.push(JSON.stringify(params))
      }
    })
  }

  send(method: string, params?: object): Promise<unknown> {
    return this.#browser.send(method, params, this.#session)
  }

  async load(url: string): Promise<void> {
    const loaded = new Promise<void>((resolve) => (this.#onLoad = resolve))
    await this.send('Page.navigate', { url })
    await loaded
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = (await this.send('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    })) as { result: { value: T }; exceptionDetails?: { text: string } }
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    return result.value
  }

  /** The whole page as a PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = (await this.send('Page.captureScreenshot', { captureBeyondViewport: true })) as { data: string }
    return Buffer.from(data, 'base64')
  }
}
