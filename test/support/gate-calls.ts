/** The gates for worker processes: they ask the process of the test, on a socket, and wait for its answer. */
import { rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { isMainThread as isMainThreadOfNode } from 'node:worker_threads'
import { isMainThread } from 'millrace'

/** How an item ends. */
type End = 'returns' | 'throws' | 'function'

interface Call {
  readonly id: number
  readonly item: number | string
  readonly worker: number
}

interface Answer {
  readonly id: number
  readonly end: End
}

/** Inherited by worker processes: the path of the socket. scripts/test-nats.js gives it to hosts, too. */
const PATH = 'MILLRACE_TEST_GATES'

/** Serves worker processes that start later. @param pass Waits until the item may go. */
export function serveGates(pass: (item: number | string, worker: number) => unknown): void {
  // Hosts have been started with the path.
  const given = process.env.TEST_HOSTS === undefined ? undefined : process.env[PATH]
  const path = given ?? join(tmpdir(), `millrace-gates-${process.pid}`)
  rmSync(path, { force: true })
  process.env[PATH] = path
  const server = createServer((socket) => {
    socket.on('error', () => undefined).unref()
    createInterface({ input: socket }).on('line', (line) => {
      const { id, item, worker } = JSON.parse(line) as Call
      void endOf(() => pass(item, worker)).then((end) => {
        if (socket.writable) socket.write(`${JSON.stringify({ id, end } satisfies Answer)}\n`)
      })
    })
  })
  server.listen(path).unref()
  process.once('exit', () => {
    rmSync(path, { force: true })
  })
}

async function endOf(pass: () => unknown): Promise<End> {
  try {
    return typeof (await pass()) === 'function' ? 'function' : 'returns'
  } catch {
    return 'throws'
  }
}

/** The side of a worker process. */
export class GateCalls {
  readonly #path: string
  #socket: Socket | undefined
  readonly #waiting = new Map<number, (end: End) => void>()
  #calls = 0

  /** Undefined elsewhere. */
  static inWorkerProcess(): GateCalls | undefined {
    const path = process.env[PATH]
    return isMainThreadOfNode && !isMainThread && path !== undefined ? new GateCalls(path) : undefined
  }

  private constructor(path: string) {
    this.#path = path
  }

  pass(item: number | string, worker: number): Promise<End> {
    const id = ++this.#calls
    this.#socket ??= this.#connect()
    this.#socket.write(`${JSON.stringify({ id, item, worker } satisfies Call)}\n`)
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
    })
  }

  /** Late: a host loads its tasks before the test begins. */
  #connect(): Socket {
    const socket = connect(this.#path).unref()
    createInterface({ input: socket }).on('line', (line) => {
      const { id, end } = JSON.parse(line) as Answer
      this.#waiting.get(id)?.(end)
      this.#waiting.delete(id)
    })
    return socket
  }
}
