/**
 * A request that a server has received, as a source. It is closed as in Node's own loops, which keep the connection for
 * the answer.
 */
import { once } from 'node:events'
import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { imap, lines, type Source } from 'millrace'

const LINE = 'one line\n'
const inline = { workers: 0 } as const
const size = (bytes: Uint8Array): number => bytes.length

function fails(): never {
  throw new RangeError('not accepted')
}

async function first(source: Source<unknown>): Promise<void> {
  for await (const _ of source as AsyncIterable<unknown>) return
}

async function all(source: Source<unknown>): Promise<void> {
  for await (const _ of source as AsyncIterable<unknown>);
}

type Way = (received: IncomingMessage) => Promise<unknown>

/** Ways to read a request that has not ended, and to leave it; and the answer. */
const ways: Record<string, readonly [Way, answer: string]> = {
  "Node's own loop": [first, '413 too long'],
  'a stage': [(received) => first(imap(size, received, inline)), '413 too long'],
  'a stage that fails': [(received) => all(imap(fails, received, inline)), '400 bad'],
  'a stage that was not begun': [(received) => imap(size, received, inline).return(), '413 too long'],
  'lines()': [(received) => first(lines(received)), '413 too long'],
  'lines() with a line that is too long': [(received) => all(lines(received, { maxLength: 3 })), '400 bad'],
  'a stage of lines()': [(received) => all(imap(fails, lines(received), inline)), '400 bad'],
  'a stage in a pipeline': [(received) => pipeline(received, imap(fails, inline), all), '400 bad'],
}

const servers: Server[] = []
const agents: Agent[] = []

afterAll(() => {
  for (const agent of agents) agent.destroy()
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

/** A server that reads each request in one way, and answers with 400 if that throws. */
async function serve(read: (received: IncomingMessage, answer: ServerResponse) => Promise<unknown>): Promise<Server> {
  const server = createServer((received, answer) => {
    void read(received, answer).then(
      () => answer.writeHead(413).end('too long'),
      () => answer.writeHead(400).end('bad'),
    )
  }).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return server
}

/** The status and text of the answer to a request with some lines in its body. */
async function answerOf(server: Server, agent: Agent, isWhole: boolean): Promise<string> {
  const { port } = server.address() as AddressInfo
  const sent = request({ port, host: '127.0.0.1', method: 'POST', agent, headers: { 'transfer-encoding': 'chunked' } })
  sent.write(LINE.repeat(10))
  // More than the server and the system buffer before it is read.
  if (isWhole) sent.end(Buffer.alloc(8 * 1024 * 1024, LINE))
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  let text = String(answer.statusCode)
  for await (const bytes of answer) text += ` ${String(bytes)}`
  return text
}

function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  agents.push(agent)
  return agent
}

describe('a request that is left early can be answered', () => {
  for (const [way, [read, answer]] of Object.entries(ways)) {
    it(`by ${way}`, async () => {
      let wasDestroyed: boolean | undefined
      const server = await serve((received) =>
        read(received).finally(() => {
          wasDestroyed = received.destroyed
        }),
      )
      expect(await answerOf(server, keepAlive(), false)).toBe(answer)
      expect(wasDestroyed).toBe(true)
    })
  }

  it('by a loop of its iterator({ destroyOnReturn: false }), and the rest can be read, so that the connection is used again', async () => {
    const readers = [
      (source: Source<Uint8Array>) => first(imap(size, source, inline)),
      (source: Source<Uint8Array>) => first(lines(source)),
    ]
    for (const read of readers) {
      let connections = 0
      const server = await serve(async (received) => {
        await read(received.iterator({ destroyOnReturn: false }))
        expect(received.destroyed).toBe(false)
        received.resume()
      })
      server.on('connection', () => connections++)
      const agent = keepAlive()
      for (let n = 0; n < 3; n++) expect(await answerOf(server, agent, true)).toBe('413 too long')
      expect(connections).toBe(1)
    }
  })

  it('and with connection: close the next request has a new connection', async () => {
    let connections = 0
    const server = await serve(async (received, answer) => {
      await first(lines(received))
      answer.setHeader('connection', 'close')
    })
    server.on('connection', () => connections++)
    const agent = keepAlive()
    for (let n = 0; n < 3; n++) expect(await answerOf(server, agent, false)).toBe('413 too long')
    expect(connections).toBe(3)
  })
})

it('the answer that a client receives is closed with its connection when it is left early', async () => {
  let closed: Promise<unknown> | undefined
  const server = createServer((_received, answer) => {
    closed = once(answer, 'close')
    answer.write(LINE)
  }).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sent = request({ port, host: '127.0.0.1' })
  sent.end()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  await first(lines(answer))
  await closed
  expect(answer.destroyed).toBe(true)
})
