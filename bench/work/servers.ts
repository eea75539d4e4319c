/** Servers of the machine, on free ports of the loopback: each for one contender. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { NotMeasured } from '../harness/case.js'

export interface Server {
  readonly port: number
  close(): Promise<void>
}

/** A NATS server with JetStream, which stores in files. */
export function natsServer(): Promise<Server> {
  return start('nats-server', 'Server is ready', (port, folder) => {
    const path = join(folder, 'nats.conf')
    const store = `jetstream { store_dir: ${JSON.stringify(join(folder, 'store'))}, max_file: 4GB }`
    writeFileSync(path, `listen: "127.0.0.1:${port}"\nmax_payload: 8MB\n${store}\n`)
    return ['-c', path]
  })
}

/** A Redis server that keeps its data in memory alone, which is its fastest form. */
export function redisServer(): Promise<Server> {
  return start('redis-server', 'Ready to accept connections', (port, folder) => [
    ...['--bind', '127.0.0.1', '--port', `${port}`, '--dir', folder],
    ...['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'],
  ])
}

async function start(
  program: string,
  isReady: string,
  args: (port: number, folder: string) => string[],
): Promise<Server> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), `millrace-${program}-`))
  const child = spawn(program, args(port, folder), { stdio: ['ignore', 'pipe', 'pipe'] })
  const close = async (): Promise<void> => {
    await ended(child)
    rmSync(folder, { recursive: true })
  }
  try {
    await written(child, isReady)
    return { port, close }
  } catch (error) {
    await close()
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new NotMeasured(`${program} is not installed`)
    throw error
  }
}

/** Ends a process that was started here. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** Resolves when a process has written a text, to either of its outputs. */
export function written(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const lines: string[] = []
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue
      createInterface(stream).on('line', (line) => {
        lines.push(line)
        if (line.includes(text)) resolve()
      })
    }
    child.once('error', reject)
    child.once('close', (code) => {
      reject(new Error(`${child.spawnfile} ended with ${code}:\n${lines.join('\n')}`))
    })
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
