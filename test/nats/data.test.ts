/** Blocks of files that hosts read themselves, below folders that they name. */
import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blocks, type FileBlock } from 'millrace'
import { Cluster } from 'millrace/nats'
import { countsLines } from '../fixtures/blocks.js'
import { CommandRun, fixture } from '../support/command.js'
import { NatsServer } from '../support/nats-server.js'
import { rejection } from '../support/matrix.js'

const folder = mkdtempSync(join(tmpdir(), 'data-'))
/** The same storage, as the host sees it. */
const mounted = `${folder}-mounted`
const path = join(folder, 'a.log')
let server: NatsServer
let host: CommandRun
let cluster: Cluster

beforeAll(async () => {
  writeFileSync(path, 'a line\n'.repeat(10_000))
  writeFileSync(join(`${folder}-secret`), 'secret')
  symlinkSync(folder, mounted)
  server = await NatsServer.start()
  const args = ['--servers', server.url, '--slots', '2', '--data', `logs=${mounted}`]
  host = new CommandRun(['worker', fixture('blocks.js'), ...args])
  await host.written('is ready')
  cluster = new Cluster({ servers: server.url })
})
afterAll(async () => {
  await cluster.terminate()
  await host[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

it('are read by worker processes of hosts', async () => {
  const counts = await cluster.map(countsLines, blocks(path, { size: 10_001, data: { logs: folder } }))
  expect(counts).toHaveLength(7)
  expect(counts.reduce((sum, count) => sum + count)).toBe(10_000)
})

it.each<[string, Partial<FileBlock>]>([
  ['no folder', { path }],
  ['a folder that the host does not name', { data: 'etc', path: 'a.log' }],
  ['a path that leads out', { data: 'logs', path: '../secret' }],
])('are refused with %s', async (_, place) => {
  const block = { path: '', offset: 0, length: 1, ...place }
  expect(await rejection(cluster.map(countsLines, [block]))).toMatchObject({ code: 'ERR_DATA_FOLDER' })
})
