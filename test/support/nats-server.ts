/** A NATS server of the machine, on a free port of the loopback, with a store in a temporary folder. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const PROGRAM = process.env.NATS_SERVER ?? 'nats-server'

export interface ServerOptions {
  /** Default: true. */
  readonly jetstream?: boolean
  /** How much its streams may store, as its settings say it: `10GB`. */
  readonly room?: string
  /** All its settings, in place of the others. They read MILLRACE_PORT and MILLRACE_STORE of the environment. */
  readonly text?: string
  /** More variables of its environment. */
  readonly env?: Readonly<Record<string, string>>
  /** More lines of its settings, such as users. */
  readonly settings?: string
}

export class NatsServer implements AsyncDisposable {
  readonly port: number
  readonly #folder: string
  #process: ChildProcess | undefined
  #env: Readonly<Record<string, string>> = {}

  private constructor(port: number, folder: string) {
    this.port = port
    this.#folder = folder
  }

  static async start(options: ServerOptions = {}): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), mkdtempSync(join(tmpdir(), 'millrace-nats-')))
    server.configure(options)
    await server.start()
    return server
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`
  }

  /** Undefined: it does not run. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** A path in its folder. */
  path(name: string): string {
    return join(this.#folder, name)
  }

  /** Takes effect at the next start. */
  configure({ jetstream = true, room = '10GB', settings = '', text, env = {} }: ServerOptions): void {
    this.#env = { ...env, MILLRACE_PORT: `${this.port}`, MILLRACE_STORE: this.path('store') }
    const store = jetstream ? `jetstream { store_dir: ${JSON.stringify(this.path('store'))}, max_file: ${room} }` : ''
    writeFileSync(
      this.path('server.conf'),
      text ?? `listen: "127.0.0.1:${this.port}"\nmax_payload: 8MB\n${store}\n${settings}\n`,
    )
  }

  async start(): Promise<void> {
    const child = spawn(PROGRAM, ['-c', this.path('server.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...this.#env },
    })
    this.#process = child
    const written: string[] = []
    const lines = createInterface(child.stderr)
    for await (const line of lines) {
      written.push(line)
      if (line.includes('Server is ready')) {
        // Its pipe must not fill.
        child.stderr.resume()
        return
      }
    }
    throw new Error(`${PROGRAM} did not start:\n${written.join('\n')}`)
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child?.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  /** Deletes all that it has stored. Only while it does not run. */
  wipe(): void {
    rmSync(this.path('store'), { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
