/** What holds a stream on hosts back: each value of `stats().limit`. */
import { pipe } from 'millrace'
import type { ClusterLimit } from '#dist/cluster/limit.js'
import * as tasks from '../fixtures/cluster-tasks.js'
import { CalmCluster, verbsOn } from '../support/cluster/calm.js'

const url = new URL('../fixtures/cluster-tasks.js', import.meta.url).href
const cluster = new CalmCluster()
const remote = cluster.executor()
const { imap } = verbsOn(remote)
/** The first one of a window is done at once, the others run until the stream ends. */
const numbers = Array.from({ length: 100 }, (_, n) => n + 1)

beforeAll(async () => {
  await cluster.host('one', url)
  await cluster.host('two', url)
})
afterAll(() => cluster.close())

/** Opens a stream, and resolves when this holds it back. */
async function heldBack(
  by: ClusterLimit | undefined,
  stream: AsyncIterableIterator<unknown>,
  of = remote,
): Promise<void> {
  const first = stream.next()
  while (of.producer.limit !== by) await new Promise((resolve) => setTimeout(resolve, 5))
  await stream.return?.()
  await first
}

it('is undefined without a stream', () => {
  expect(remote.producer.limit).toBeUndefined()
})

it("is 'hosts' while hosts have all that they take", async () => {
  await heldBack('hosts', imap(tasks.waits, numbers, { chunksize: 1, window: 100 }))
})

it("is 'hosts' for the last items", async () => {
  await heldBack('hosts', imap(tasks.waits, [1], { window: 100 }))
})

it("is 'hosts' where no host offers the task", async () => {
  const other = cluster.executor({ version: '7' })
  await heldBack('hosts', verbsOn(other).imap(tasks.double, numbers, { chunksize: 1, window: 1 }), other)
})

it("is 'window' where hosts have all of it, and would take more", async () => {
  await heldBack('window', imap(tasks.waits, numbers, { chunksize: 1, window: 2 }))
})

it("is 'maxBytes' where no other unit may be sent", async () => {
  const small = cluster.executor({ maxBytes: 1 })
  await heldBack('maxBytes', verbsOn(small).imap(tasks.waits, numbers, { chunksize: 1 }), small)
})

it("is 'consumer' while results fill the window", async () => {
  const stream = imap(tasks.double, numbers, { chunksize: 1, window: 10 })
  await stream.next()
  while (remote.producer.limit !== 'consumer') await new Promise((resolve) => setTimeout(resolve, 5))
  expect(await stream.toArray()).toHaveLength(99)
})

it("is 'source' while the next item does not come", async () => {
  let end = (): void => undefined
  const source = (async function* () {
    yield 1
    await new Promise<void>((resolve) => {
      end = resolve
    })
  })()
  const stream = imap(tasks.waits, source)
  const first = stream.next()
  while (remote.producer.limit !== 'source') await new Promise((resolve) => setTimeout(resolve, 5))
  end()
  await stream.return?.()
  await first
})

it('is that of the stage that holds the others back', async () => {
  await heldBack('window', pipe(numbers, imap(tasks.double), imap(tasks.waits, { chunksize: 1, window: 2 })))
})

it("is 'connection' while there is none", async () => {
  const broker = cluster.broker()
  const cutOff = cluster.executor({ broker })
  const stream = verbsOn(cutOff).imap(tasks.double, numbers, { chunksize: 1, window: 4 })
  await stream.next()
  broker.disconnect()
  expect(cutOff.producer.limit).toBe('connection')
  broker.connect()
  expect(cutOff.producer.limit).not.toBe('connection')
  expect(await stream.toArray()).toHaveLength(99)
})
