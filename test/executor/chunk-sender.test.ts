/** Which chunks are posted together. */
import { once } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { Items } from '#dist/codec/batch.js'
import { ChunkSender } from '#dist/executor/threads/chunk-sender.js'
import type { InFlightChunk } from '#dist/executor/threads/in-flight-chunk.js'
import { createCells } from '#dist/worker/cells.js'

const job = {
  kind: 'map',
  name: { module: 'file:///none.js', id: 'task' },
  concurrency: 1,
  ordered: true,
  stopOnError: true,
}
const inFlight = { lane: { job, flushFirst: false, transfer: undefined } } as unknown as InFlightChunk

describe('ChunkSender', () => {
  let channel: MessageChannel
  let sender: ChunkSender
  let received: unknown[]

  beforeEach(() => {
    channel = new MessageChannel()
    sender = new ChunkSender(channel.port1, createCells())
    received = []
    channel.port2.on('message', (message: { type?: string }) => {
      if (message.type !== 'leave') received.push(message)
    })
  })

  afterEach(() => {
    channel.port1.close()
  })

  function send(mayWait: boolean, ...items: unknown[]): void {
    sender.send(inFlight, { first: 0, items: new Items(items) }, undefined, mayWait)
  }

  /** What has arrived up to now: the numbers of the chunks by message, without those that tell of the job. */
  async function chunks(): Promise<number[][]> {
    await passes(channel.port1, channel.port2)
    return received.flatMap((message) => {
      if (Array.isArray(message)) return [[message[0] as number]]
      const { chunks } = message as { chunks?: [number][] }
      return chunks === undefined ? [] : [chunks.map(([seq]) => seq)]
    })
  }

  it('posts chunks that may wait together, in their order', async () => {
    send(false, 1)
    send(true, 2)
    send(true, 'three')
    send(true, undefined)
    expect(sender.unposted).toBe(3)
    sender.flush()
    expect(sender.unposted).toBe(0)
    expect(await chunks()).toEqual([[1], [2, 3, 4]])
  })

  it('posts them before a chunk that may not wait', async () => {
    send(true, 1)
    send(true, 2)
    send(false, 3)
    expect(await chunks()).toEqual([[1, 2], [3]])
  })

  it('posts them in this turn of the event loop, by itself', async () => {
    send(true, 1)
    await new Promise((resolve) => setImmediate(resolve))
    expect(sender.unposted).toBe(0)
    expect(await chunks()).toEqual([[1]])
  })

  it('lets no object wait: it may change', async () => {
    const item = { n: 1 }
    send(true, item)
    item.n = 2
    expect(sender.unposted).toBe(0)
    await chunks()
    expect(received.at(-1)).toMatchObject({ 5: [{ n: 1 }] })
  })

  it('lets nothing wait that cannot be posted: it is sent as an error at once', async () => {
    send(true, Symbol('no'))
    expect(sender.unposted).toBe(0)
    expect(await chunks()).toEqual([[1]])
    expect(received.at(-1)).toMatchObject({ 6: { settled: [[0, expect.anything()]] } })
  })
})

/** Settles when what was posted at one port has arrived at the other. */
async function passes(from: MessagePort, to: MessagePort): Promise<void> {
  for (;;) {
    from.postMessage({ type: 'leave' })
    const [message] = (await once(to, 'message')) as [{ type?: string }]
    if (message.type === 'leave') return
  }
}
