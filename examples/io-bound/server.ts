/** A slow HTTP server on loopback that remembers how many requests it had at once. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Milliseconds to an answer. */
const DELAY = 50

export interface SlowServer {
  readonly url: string
  /** The most requests there have been at once. */
  most(): number
  close(): Promise<void>
}

/** Starts a server that answers every request with its path. */
export async function startServer(): Promise<SlowServer> {
  let open = 0
  let most = 0
  const server = createServer((request, response) => {
    most = Math.max(most, ++open)
    response.once('close', () => open--)
    setTimeout(() => response.end(request.url), DELAY)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    most: () => most,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      // The client keeps its connections for later requests, which would hold the server open.
      server.closeAllConnections()
      await closed
    },
  }
}
