/** The broker of lib/nats/ on a real server. */
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { BrokerError, type Delivery, type Broker, type StreamOptions } from '#dist/cluster/broker.js'
import { NatsBroker } from '#dist/nats/broker.js'
import type { ConnectionOptions } from '#dist/nats/connection.js'
import { NatsServer } from '../support/nats-server.js'
import { times } from '../support/volume.js'

const TASKS: StreamOptions = { name: 'T', subjects: ['t.>'], retention: 'workqueue' }
const RESULTS: StreamOptions = { name: 'R', subjects: ['r.>'], retention: 'interest' }
const CONSUMER = { filter: 't.>', ackWait: 5_000, inactive: 60_000 }

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const decode = (data: Uint8Array | undefined): string | undefined => data && new TextDecoder().decode(data)
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
const never = new AbortController().signal

let server: NatsServer
let open: NatsBroker[] = []
beforeEach(async () => {
  server = await NatsServer.start()
})
afterEach(async () => {
  await Promise.all(open.map((broker) => broker.close()))
  open = []
  await server[Symbol.asyncDispose]()
})

function brokerOf(options: Partial<ConnectionOptions> = {}): NatsBroker {
  const broker = new NatsBroker({ servers: [server.url], name: 'test', inbox: '_INBOX', wait: 5_000, ...options })
  open.push(broker)
  return broker
}

async function opened(options: Partial<ConnectionOptions> = {}): Promise<NatsBroker> {
  const broker = brokerOf(options)
  await broker.open()
  return broker
}

/** A broker with a stream of tasks, and a consumer of it. */
async function withTasks(): Promise<NatsBroker> {
  const broker = await opened()
  await broker.createStream(TASKS)
  await broker.createConsumer('T', 'C', CONSUMER)
  return broker
}

async function faultOf(action: Promise<unknown>): Promise<string> {
  const error: unknown = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof BrokerError ? error.fault : `not a BrokerError: ${String(error)}`
}

/** Resolves at the next change of the connection to `isUp`. */
function changeOf(broker: Broker, isUp: boolean): Promise<void> {
  return new Promise((resolve) => {
    broker.onChange((now) => {
      if (now === isUp) resolve()
    })
  })
}

/** Restarts a server that was ended; it is up again when the broker is. */
async function restart(broker: Broker, between: () => void = () => {}): Promise<void> {
  const [down, up] = [changeOf(broker, false), changeOf(broker, true)]
  await server.kill()
  await down
  between()
  await server.start()
  await up
}

/** JetStream begins to answer after the connection is there. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof BrokerError) || error.fault !== 'timeout') throw error
    }
  }
}

describe('publish and fetch', () => {
  it('gives the sequence numbers of the stream, and a message once', async () => {
    const broker = await withTasks()
    expect([await broker.publish('t.a', encode('one')), await broker.publish('t.b', encode('two'))]).toEqual([1, 2])
    const [first, second] = [await broker.fetch('T', 'C', never), await broker.fetch('T', 'C', never)]
    expect([first?.subject, decode(first?.data), first?.delivery]).toEqual(['t.a', 'one', 1])
    expect([second?.subject, decode(second?.data)]).toEqual(['t.b', 'two'])
    first?.ack()
    second?.ack()
    // Acknowledgements are not confirmed.
    while ((await broker.subjects('T', 't.>'))?.size !== 0);
    expect(await broker.consumerState('T', 'C')).toMatchObject({ running: 0, floor: 2 })
  })

  it('hands over data that is a copy, and aligned', async () => {
    const broker = await withTasks()
    await broker.publish('t.a', encode('x'.repeat(13)))
    const data = (await broker.fetch('T', 'C', never))?.data
    expect([data?.byteOffset, data?.buffer.byteLength, data?.constructor]).toEqual([0, 13, Uint8Array])
  })

  it('carries a message of the largest size', async () => {
    const broker = await withTasks()
    const size = broker.maxPayload - 4_096
    expect(broker.maxPayload).toBe(8 * 2 ** 20)
    await broker.publish('t.a', new Uint8Array(size).fill(7))
    const data = (await broker.fetch('T', 'C', never))?.data
    expect([data?.length, data?.every((byte) => byte === 7)]).toEqual([size, true])
  })

  it('gives a message again after nak(), with the number of its deliveries, and never after term()', async () => {
    const broker = await withTasks()
    await broker.publish('t.a', encode('one'))
    const first = await broker.fetch('T', 'C', never)
    first?.nak()
    const second = await broker.fetch('T', 'C', never)
    expect([decode(second?.data), second?.delivery]).toEqual(['one', 2])
    second?.term()
    await broker.publish('t.b', encode('two'))
    expect(decode((await broker.fetch('T', 'C', never))?.data)).toBe('two')
  })

  it('gives nothing to a fetch that was aborted, and the message to the next one', async () => {
    const broker = await withTasks()
    const controller = new AbortController()
    const fetched = broker.fetch('T', 'C', controller.signal)
    while ((await broker.consumerState('T', 'C'))?.waiting !== 1);
    controller.abort()
    expect(await fetched).toBeUndefined()
    expect(await broker.fetch('T', 'C', controller.signal)).toBeUndefined()
    await broker.publish('t.a', encode('one'))
    expect(decode((await broker.fetch('T', 'C', never))?.data)).toBe('one')
  })

  it('gives nothing after 5 s without a message', async () => {
    const broker = await withTasks()
    expect(await broker.fetch('T', 'C', never)).toBeUndefined()
  })
})

describe('the state of a consumer', () => {
  it('counts requests that wait, messages that run, and those that were not given', async () => {
    const broker = await withTasks()
    const controller = new AbortController()
    for (const name of ['a', 'b', 'c']) await broker.publish(`t.${name}`, encode(name))
    const [first, second] = [await broker.fetch('T', 'C', never), await broker.fetch('T', 'C', never)]
    expect(await broker.consumerState('T', 'C')).toEqual({ waiting: 0, running: 2, unprocessed: 1, floor: 0 })
    first?.ack()
    second?.ack()
    ;(await broker.fetch('T', 'C', never))?.ack()
    const waiting = broker.fetch('T', 'C', controller.signal)
    let state = await broker.consumerState('T', 'C')
    // The server takes acknowledgements a moment later.
    while (state?.waiting !== 1 || state.running > 0) state = await broker.consumerState('T', 'C')
    expect(state).toEqual({ waiting: 1, running: 0, unprocessed: 0, floor: 3 })
    controller.abort()
    await waiting
  })

  it('is undefined without the consumer, and without the stream', async () => {
    const broker = await withTasks()
    await broker.deleteConsumer('T', 'C')
    await broker.deleteConsumer('T', 'C')
    expect([await broker.consumerState('T', 'C'), await broker.consumerState('X', 'C')]).toEqual([undefined, undefined])
  })

  it('stays as it is when the consumer is created again', async () => {
    const broker = await withTasks()
    await broker.publish('t.a', encode('one'))
    await broker.fetch('T', 'C', never)
    await broker.createConsumer('T', 'C', CONSUMER)
    expect(await broker.consumerState('T', 'C')).toMatchObject({ running: 1, unprocessed: 0 })
  })
})

describe('subjects', () => {
  it('lists those below a prefix that have messages', async () => {
    const broker = await withTasks()
    for (const name of ['a.1', 'a.2', 'b.1']) await broker.publish(`t.${name}`, encode(name))
    expect(await broker.subjects('T', 't.a.*')).toEqual(new Set(['t.a.1', 't.a.2']))
    expect(await broker.subjects('T', 't.c.*')).toEqual(new Set())
    expect(await broker.subjects('X', 't.>')).toBeUndefined()
  })
})

describe('consume', () => {
  it('gives all messages, also those that come later, and none after close()', async () => {
    const broker = await opened()
    await broker.createStream(RESULTS)
    await broker.createConsumer('R', 'P', { ...CONSUMER, filter: 'r.p' })
    const taken: string[] = []
    let came = (): void => {}
    const consumed = await broker.consume(
      'R',
      'P',
      (delivery) => {
        taken.push(decode(delivery.data) ?? '')
        delivery.ack()
        if (taken.length === 300) came()
      },
      () => {
        taken.push('ended')
      },
    )
    const all = new Promise<void>((resolve) => {
      came = resolve
    })
    const expected = Array.from({ length: 300 }, (_, n) => `${n}`)
    for (const text of expected) await broker.publish('r.p', encode(text))
    await all
    expect(taken).toEqual(expected)
    consumed.close()
    await broker.publish('r.p', encode('late'))
    expect(taken).toHaveLength(300)
  })

  it('gives small messages, and then large ones, without a pause', async () => {
    const broker = await withTasks()
    const sizes = Array.from({ length: 200 }, (_, n) => (n < 150 ? 20 : 50_000))
    for (const size of sizes) await broker.publish('t.a', new Uint8Array(size))
    const taken: number[] = []
    let [longest, last] = [0, performance.now()]
    const given = new Promise<void>((resolve) => {
      const take = (delivery: Delivery): void => {
        delivery.ack()
        taken.push(delivery.data.length)
        longest = Math.max(longest, performance.now() - last)
        last = performance.now()
        if (taken.length === sizes.length) resolve()
      }
      void broker.consume('T', 'C', take, () => {})
    })
    await given
    expect(taken).toEqual(sizes)
    // A request that has no room for the next message was given up after 4 s.
    expect(longest).toBeLessThan(3_500)
  })

  it('drops a message that no consumer waits for', async () => {
    const broker = await opened()
    await broker.createStream(RESULTS)
    await broker.publish('r.p', encode('one'))
    expect(await broker.subjects('R', 'r.>')).toEqual(new Set())
  })

  it('ends, as missing, when its consumer is deleted', async () => {
    const broker = await withTasks()
    const ended = new Promise<BrokerError>((resolve) => {
      void broker.consume('T', 'C', () => {}, resolve)
    })
    while ((await broker.consumerState('T', 'C'))?.waiting !== 1);
    await broker.deleteConsumer('T', 'C')
    expect((await ended).fault).toBe('missing')
  })

  it('ends when the connection is lost', async () => {
    const broker = await withTasks()
    const ended = new Promise<BrokerError>((resolve) => {
      void broker.consume('T', 'C', () => {}, resolve)
    })
    while ((await broker.consumerState('T', 'C'))?.waiting !== 1);
    await server.kill()
    expect((await ended).fault).toBe('down')
  })
})

describe('what is missing or full', () => {
  it('is told of the action that needs it', async () => {
    const broker = await opened()
    expect(await faultOf(broker.publish('t.a', encode('x')))).toBe('missing')
    expect(await faultOf(broker.createConsumer('T', 'C', CONSUMER))).toBe('missing')
    expect(await faultOf(broker.fetch('T', 'C', never))).toBe('missing')
    await broker.createStream(TASKS)
    expect(await faultOf(broker.fetch('T', 'C', never))).toBe('missing')
    expect(
      await faultOf(
        broker.consume(
          'T',
          'C',
          () => {},
          () => {},
        ),
      ),
    ).toBe('missing')
  })

  it('is found by a fetch that waits while its consumer is deleted', async () => {
    const broker = await withTasks()
    const fetched = faultOf(broker.fetch('T', 'C', never))
    while ((await broker.consumerState('T', 'C'))?.waiting !== 1);
    await broker.deleteConsumer('T', 'C')
    expect(await fetched).toBe('missing')
    // The consumer's settings were known: the request itself is not answered.
    await broker.createConsumer('T', 'C', CONSUMER)
    await broker.publish('t.a', encode('one'))
    expect(decode((await broker.fetch('T', 'C', never))?.data)).toBe('one')
  })

  it('is full when a message does not fit, until one is acknowledged', async () => {
    const broker = await opened()
    await broker.setUpStream(TASKS, { maxBytes: 100_000 })
    await broker.createConsumer('T', 'C', CONSUMER)
    await broker.publish('t.a', new Uint8Array(60_000))
    expect(await faultOf(broker.publish('t.b', new Uint8Array(60_000)))).toBe('full')
    ;(await broker.fetch('T', 'C', never))?.ack()
    while ((await broker.subjects('T', 't.>'))?.size !== 0);
    await broker.publish('t.b', new Uint8Array(60_000))
  })

  it('is neither, for a message that is larger than any may be', async () => {
    const broker = await withTasks()
    expect(await faultOf(broker.publish('t.a', new Uint8Array(broker.maxPayload + 1)))).toBe('other')
  })
})

describe('streams', () => {
  it('are created, changed only by settings, and otherwise left as they are', async () => {
    const broker = await opened()
    expect(await broker.setUpStream(TASKS)).toBe('created')
    await broker.publish('t.a', encode('one'))
    expect(await broker.setUpStream(TASKS)).toBe('unchanged')
    expect(await broker.setUpStream(TASKS, {})).toBe('unchanged')
    expect(await broker.setUpStream(TASKS, { maxBytes: 2 ** 20 })).toBe('updated')
    expect(await broker.setUpStream(TASKS, { maxBytes: 2 ** 20 })).toBe('unchanged')
    expect(await broker.setUpStream(TASKS)).toBe('unchanged')
    expect(await broker.subjects('T', 't.>')).toEqual(new Set(['t.a']))
  })
})

describe('a stream that is deleted while it is used', () => {
  it('stores messages when it was created again', async () => {
    const broker = await opened()
    await broker.createStream(TASKS)
    const connection = await connect({ servers: server.url })
    const manager = await jetstreamManager(connection)
    for (let round = 0; round < times(3, 20); round++) {
      // The server takes a while to delete what has consumers and messages.
      for (let n = 0; n < 20; n++) await broker.createConsumer('T', `C${n}`, { ...CONSUMER, filter: `t.${n}.>` })
      await Promise.all(numbers(200).map((n) => broker.publish(`t.${n}.a`, new Uint8Array(10_000))))
      let isDeleted = false
      const deleted = manager.streams.delete('T').then(() => {
        isDeleted = true
      })
      for (let tries = 0, stored = 0; stored < 5; tries++) {
        expect(tries).toBeLessThan(1_000)
        const fault = await broker.publish('t.1.b', encode('again')).then(
          () => undefined,
          (error: unknown) => (error as BrokerError).fault,
        )
        if (fault === 'missing') await broker.createStream(TASKS)
        else if (fault === undefined && isDeleted) stored++
      }
      await deleted
      await manager.streams.delete('T')
      await broker.createStream(TASKS)
    }
    await connection.close()
  })
})

describe('a stream for which there is little room', () => {
  it('is created smaller, unless its size was chosen', async () => {
    await server.kill()
    server.configure({ room: '300MB' })
    await server.start()
    const broker = await opened()
    expect(await faultOf(broker.setUpStream(TASKS, {}))).toBe('other')
    expect(await broker.setUpStream(TASKS)).toBe('created')
    expect(await broker.setUpStream(RESULTS)).toBe('created')
    // They have 256 and 32 of 300 MiB.
    const third = { ...TASKS, name: 'U', subjects: ['u.>'] }
    expect(await faultOf(broker.setUpStream(third))).toBe('other')
  })
})

describe('a server that is killed and comes back', () => {
  it('rejects what is under way at once, and keeps messages, consumers and what runs', async () => {
    const broker = await withTasks()
    await broker.publish('t.a', encode('one'))
    const delivery = await broker.fetch('T', 'C', never)
    const waiting = faultOf(broker.fetch('T', 'C', never))
    while ((await broker.consumerState('T', 'C'))?.waiting !== 1);
    await restart(broker)
    expect(await waiting).toBe('down')
    // It was given before, and is acknowledged after.
    delivery?.ack()
    await answered(() => broker.publish('t.b', encode('two')))
    const next = await answered(() => broker.fetch('T', 'C', never))
    expect(decode(next?.data)).toBe('two')
  })

  it('is waited for by what is asked for in the meantime', async () => {
    const broker = await withTasks()
    const down = changeOf(broker, false)
    await server.kill()
    await down
    expect(broker.isUp).toBe(false)
    const state = answered(() => broker.consumerState('T', 'C'))
    await server.start()
    expect(await state).toMatchObject({ waiting: 0 })
    expect(broker.isUp).toBe(true)
  })

  it('is given up by a try that waits too long, and costs broadcasts', async () => {
    const broker = await withTasks()
    const down = changeOf(broker, false)
    await server.kill()
    await down
    broker.broadcast('x', encode('lost'))
    expect(await faultOf(broker.publish('t.a', encode('x')))).toBe('down')
  })

  it('has lost its streams, if its store was wiped', async () => {
    const broker = await withTasks()
    await restart(broker, () => {
      server.wipe()
    })
    expect(await answered(() => broker.consumerState('T', 'C'))).toBeUndefined()
    expect(await answered(() => broker.subjects('T', 't.>'))).toBeUndefined()
    await broker.createStream(TASKS)
    await broker.createConsumer('T', 'C', CONSUMER)
    expect(await broker.publish('t.a', encode('one'))).toBe(1)
    expect(decode((await broker.fetch('T', 'C', never))?.data)).toBe('one')
  })

  it('gives a subscription its messages again', async () => {
    const [broker, other] = [await opened(), await opened()]
    broker.listen('x.*', (data) => data)
    const otherUp = changeOf(other, true)
    await restart(broker)
    await otherUp
    // The server knows the subscription some time after the connection.
    let answers = await other.ask('x.a', encode('hello'), 100)
    while (answers.length === 0) answers = await other.ask('x.a', encode('hello'), 100)
    expect(answers.map(decode)).toEqual(['hello'])
  })
})

describe('messages that are not stored', () => {
  it('go to all who listen, and answers come back', async () => {
    const [asks, ...hosts] = [await opened(), await opened(), await opened()]
    const closers = hosts.map((host, n) => host.listen('hosts', (data) => encode(`${decode(data) ?? ''} ${n}`)))
    // A request is answered when the server knows the subscriptions.
    await Promise.all(hosts.map((host) => host.ask('nobody', encode(''), 10)))
    const answers = await asks.ask('hosts', encode('who'), 200)
    expect(answers.map(decode).sort()).toEqual(['who 0', 'who 1'])
    for (const closer of closers) closer.close()
    await Promise.all(hosts.map((host) => host.ask('nobody', encode(''), 10)))
    expect(await asks.ask('hosts', encode('who'), 200)).toEqual([])
  })
})

describe('close()', () => {
  it('lets the last acknowledgement arrive, and rejects what is under way', async () => {
    const [broker, other] = [await withTasks(), await opened()]
    await broker.publish('t.a', encode('one'))
    const delivery = await broker.fetch('T', 'C', never)
    const waiting = faultOf(broker.fetch('T', 'C', never))
    while ((await other.consumerState('T', 'C'))?.waiting !== 1);
    delivery?.ack()
    await broker.close()
    expect([await waiting, await faultOf(broker.publish('t.b', encode('x')))]).toEqual(['down', 'down'])
    expect(await other.consumerState('T', 'C')).toMatchObject({ running: 0, floor: 1 })
    delivery?.ack()
    delivery?.working()
  })

  it('can be followed by open()', async () => {
    const broker = await withTasks()
    await broker.close()
    await broker.open()
    expect(await broker.publish('t.a', encode('one'))).toBe(1)
  })

  it('ends an open() that waits for a server', async () => {
    await server.kill()
    const broker = brokerOf({ wait: Infinity })
    const opening = faultOf(broker.open())
    await broker.close()
    expect(await opening).toBe('down')
  })
})
