/** The option `compression`: units and results that are shorter on their way, and what must hold meanwhile. */
import { randomBytes } from 'node:crypto'
import type { RemoteExecutor, RemoteOptions } from '#dist/cluster/remote-executor.js'
import type { NotSerializableError } from 'millrace'
import * as tasks from '../fixtures/cluster-tasks.js'
import { CalmCluster, verbsOn } from '../support/cluster/calm.js'
import type { FakeBroker } from '../support/cluster/fake-broker.js'
import { rejection } from '../support/matrix.js'

const url = new URL('../fixtures/cluster-tasks.js', import.meta.url).href
const cluster = new CalmCluster()
/** Of the hosts. */
const hostBroker = cluster.broker()
/** The lengths of the messages that a producer, and its host, have published since the test began. */
let units: number[] = []
let results: number[] = []

beforeAll(async () => {
  watch(hostBroker, (data) => {
    results.push(data.length)
    return data
  })
  await cluster.host('one', url, [], hostBroker)
})
beforeEach(() => {
  units = []
  results = []
})
afterAll(() => cluster.close())

/** Sees, and may change, what is published. */
function watch(broker: FakeBroker, change: (data: Uint8Array) => Uint8Array): void {
  const publish = broker.publish.bind(broker)
  broker.publish = (subject, data) => publish(subject, change(data))
}

function executor(
  options: Partial<RemoteOptions> = {},
  change = (data: Uint8Array): Uint8Array => data,
): RemoteExecutor {
  const broker = cluster.broker()
  watch(broker, (data) => {
    units.push(data.length)
    return change(data)
  })
  return cluster.executor({ broker, compression: 'deflate', ...options })
}

const texts = Array.from({ length: 60 }, (_, n) => `${n} ${'the same text again. '.repeat(n % 3 === 0 ? 500 : 5)}`)

it('makes units and results shorter, from 4 KiB', async () => {
  const { imap } = verbsOn(executor())
  expect(await imap(tasks.keep, texts, { chunksize: 1 }).toArray()).toEqual(texts)
  expect(Math.max(...units)).toBeLessThan(1_000)
  expect(Math.max(...results)).toBeLessThan(1_000)
  const { imap: plainly } = verbsOn(executor({ compression: 'none' }))
  units = []
  results = []
  expect(await plainly(tasks.keep, texts, { chunksize: 1 }).toArray()).toEqual(texts)
  expect(Math.max(...units)).toBeGreaterThan(10_000)
  expect(Math.max(...results)).toBeGreaterThan(10_000)
})

it('makes results shorter, also those of short units', async () => {
  const { imap } = verbsOn(executor())
  expect(await imap(tasks.repeat, [20_000, 10], { chunksize: 1 }).toArray()).toEqual([
    'x'.repeat(20_000),
    'x'.repeat(10),
  ])
  expect(Math.max(...results)).toBeLessThan(1_000)
})

it('leaves what it cannot make shorter', async () => {
  const { imap } = verbsOn(executor())
  const bytes = randomBytes(20_000)
  const [back] = await imap(tasks.keep, [bytes]).toArray()
  expect(Buffer.compare(back as Uint8Array, bytes)).toBe(0)
  expect(units.every((length) => length > 20_000)).toBe(true)
})

it('keeps order, window and `maxBytes`, with long and short chunks side by side', async () => {
  // For one of the longest units and a little more.
  const remote = executor({ maxBytes: 66_000 })
  const { producer } = remote
  let most = 0
  let read = 0
  let given = 0
  function* source(): Generator<string> {
    for (const text of texts) {
      most = Math.max(most, producer.bytes)
      expect(++read - given).toBeLessThanOrEqual(8)
      yield text
    }
  }
  const back: unknown[] = []
  for await (const text of verbsOn(remote).imap(tasks.keep, source(), { chunksize: 2, window: 8 })) {
    most = Math.max(most, producer.bytes)
    given++
    back.push(text)
  }
  expect(back).toEqual(texts)
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(66_000)
  expect([producer.out, producer.bytes]).toEqual([0, 0])
})

it('sends nothing of a stream that ends while its chunk is compressed', async () => {
  let end = (): void => undefined
  const remote = executor({
    traceparent: () => {
      // The unit has been made by then, and not compressed.
      queueMicrotask(end)
      return undefined
    },
  })
  const stream = verbsOn(remote).imap(tasks.keep, texts, { chunksize: 1, window: 1 })
  const ended = new Promise<void>((resolve) => {
    end = () => {
      expect(remote.producer.out).toBe(1)
      resolve(stream.return?.().then(() => undefined))
    }
  })
  const next = stream.next()
  await ended
  await next
  await remote.close()
  expect(units).toEqual([])
  expect([remote.producer.out, remote.producer.bytes]).toEqual([0, 0])
})

it('ends with what runs when it is left while results arrive', async () => {
  const remote = executor()
  for (let run = 0; run < 5; run++) {
    for await (const _ of verbsOn(remote).imap(tasks.keep, texts, { chunksize: 1, window: 20 })) break
  }
  await remote.close()
  expect([remote.producer.out, remote.producer.bytes]).toEqual([0, 0])
})

it.each(['items', 'results'] as const)('fails items whose %s arrive damaged, and no others', async (what) => {
  let isOn = true
  const damage = (data: Uint8Array): Uint8Array => {
    const copy = Uint8Array.from(data)
    if (isOn) copy.fill(0xff, -10)
    return copy
  }
  const remote = executor({}, what === 'items' ? damage : undefined)
  if (what === 'results') watch(hostBroker, damage)
  const { imap } = verbsOn(remote)
  const long = 'ab'.repeat(20_000)
  const error = (await rejection(imap(tasks.keep, [long]).toArray())) as NotSerializableError
  isOn = false
  expect(error).toMatchObject({ code: 'ERR_NOT_SERIALIZABLE' })
  expect(error.message).toContain(
    `Cannot read the ${what} that another machine has sent: Cannot read a message as its body has another length`,
  )
  expect(await imap(tasks.keep, [long]).toArray()).toEqual([long])
})
