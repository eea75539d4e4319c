/** URLs as inputs of the command line, from a server on the loopback interface. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { CommandFolder } from '../support/command-line.js'

const folder = new CommandFolder()
const has: Readonly<Record<string, Buffer>> = {
  '/data/a.csv.gz': gzipSync('id,n\n1,x\n2,y\n'),
  '/b.csv?page=2': Buffer.from('n,id\nz,3\n'),
}
const left: Promise<unknown>[] = []
const server = createServer(({ url = '' }, response) => {
  if (url === '/endless') {
    left.push(once(response, 'close'))
    response.writeHead(200)
    const send = (): void => {
      while (!response.destroyed && response.write('line\n'.repeat(1_000)));
    }
    response.on('drain', send)
    send()
  } else if (has[url] === undefined) response.writeHead(403).end()
  else response.writeHead(200).end(has[url])
})
let host = ''

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

it('are read by the suffix of their path, among files', async () => {
  folder.write('c.csv', 'id\n4\n')
  const inputs = [`${host}/data/a.csv.gz`, `${host}/b.csv?page=2`, 'c.csv']
  const run = await folder.run(['-e', '`${d.id} ${file}:${record}`', ...inputs])
  expect(run).toEqual({
    code: 0,
    signal: null,
    stdout: `1 ${inputs[0]}:1\n2 ${inputs[0]}:2\n3 ${inputs[1]}:1\n4 c.csv:1\n`,
    stderr: '',
  })
})

it('name the outputs of a template', async () => {
  expect(await folder.run([`${host}/data/a.csv.gz`, '-o', 'out/{name}.ndjson'])).toMatchObject({ code: 0, stderr: '' })
  expect(readFileSync(folder.at('out', 'a.ndjson'), 'utf8')).toBe('{"id":"1","n":"x"}\n{"id":"2","n":"y"}\n')
})

it('end the run with 1 if the server refuses them, and nothing is published', async () => {
  const url = `${host}/secret.csv`
  expect(await folder.run(['c.csv', url, '-o', 'none.csv'])).toEqual({
    code: 1,
    signal: null,
    stdout: '',
    stderr: `millrace: Cannot read '${url}' as the server must answer with a status from 200 to 299: received 403 Forbidden\n`,
  })
  expect(() => readFileSync(folder.at('none.csv'))).toThrow('ENOENT')
})

it('are left when the run has what it needs', async () => {
  expect(await folder.run([`${host}/endless`, '--head', '2'])).toMatchObject({ code: 0, stdout: 'line\nline\n' })
  expect(await folder.shell(`millrace -e d ${host}/endless | head -1`)).toMatchObject({ code: 0, stdout: 'line\n' })
  await Promise.all(left)
  expect(left).toHaveLength(2)
})
