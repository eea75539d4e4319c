/** Inputs that are URLs: what a server on the loopback interface has, read as files are. */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { blocks, csv, imap, InputError, lines, pipe, Pool, task, write } from 'millrace'
import { rejection } from '../support/matrix.js'
import { watchRejections } from '../support/rejections.js'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const folder = mkdtempSync(join(tmpdir(), 'millrace-urls-'))
const pool = new Pool({ workers: 1, name: 'urls' })
const answers = new Map<string, Answer>()
const asked: IncomingMessage[] = []
const server = createServer((request, response) => {
  asked.push(request)
  const answer = answers.get(request.url ?? '')
  if (answer === undefined) response.writeHead(404).end('<html>nothing here')
  else answer(request, response)
})
let host = ''

watchRejections()
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
beforeEach(() => {
  answers.clear()
  asked.length = 0
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await pool.terminate()
  rmSync(folder, { recursive: true })
})

/** What the server has, by its path. */
function has(path: string, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): string {
  answers.set(path, (_, response) => response.writeHead(200, headers).end(body))
  return host + path
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const given: T[] = []
  for await (const item of source) given.push(item)
  return given
}

const text = 'id,n\n1,a\n2,b\n'
const rows = [
  { id: '1', n: 'a' },
  { id: '2', n: 'b' },
]

describe('a URL', () => {
  it('is read when its first item is asked for, and its bytes are counted as they are stored', async () => {
    const reading = lines(has('/a.txt', 'one\ntwo\n', { 'content-length': '8' }))
    expect(reading.bytes.total).toBeUndefined()
    expect(asked).toHaveLength(0)
    expect(await reading.next()).toEqual({ done: false, value: 'one' })
    expect(reading.bytes).toEqual({ read: 8, total: 8 })
    expect(await all(reading)).toEqual(['two'])
    expect(asked.map(({ headers }) => headers['accept-encoding'])).toEqual(['identity'])
  })

  it('may be an object, and have a query and a fragment', async () => {
    expect(await all(csv(new URL(`${has('/x?y=1', text)}#z`)))).toEqual(rows)
  })

  it('is decompressed by its first bytes, and brotli by the suffix of the path', async () => {
    expect(await all(csv(has('/a.csv.gz', gzipSync(text))))).toEqual(rows)
    expect(await all(csv(has('/export', gzipSync(text))))).toEqual(rows)
    expect(await all(csv(has('/a.csv.br?v=2', brotliCompressSync(text))))).toEqual(rows)
  })

  it('is read as it is, if the server has compressed it for the way', async () => {
    expect(await all(csv(has('/a.csv', gzipSync(text), { 'content-encoding': 'gzip' })))).toEqual(rows)
    expect(await all(csv(has('/a.csv.gz', gzipSync(text), { 'content-encoding': 'gzip' })))).toEqual(rows)
  })

  it('may stand among files, each with its own header', async () => {
    const path = join(folder, 'b.csv')
    writeFileSync(path, 'n,id\nc,3\n')
    expect(await all(csv([has('/a.csv', text), path, has('/c.csv', 'id\n4\n')]))).toEqual([
      ...rows,
      { n: 'c', id: '3' },
      { id: '4' },
    ])
  })

  it('is the file of its records, and names outputs by its path', async () => {
    const place = task(import.meta.url, 'place', (row: object, { file, record }) => ({ ...row, file, record }))
    const url = has('/sales/may.csv.gz?key=a/b', gzipSync(text))
    const { files } = await pipe(csv(url), imap(place, { workers: 0 }), write(join(folder, '{name}.ndjson')))
    expect(files.map(({ path }) => path)).toEqual([join(folder, 'may.ndjson')])
    expect(readFileSync(join(folder, 'may.ndjson'), 'utf8')).toBe(
      rows.map((row, at) => `${JSON.stringify({ ...row, file: url, record: at + 1 })}\n`).join(''),
    )
  })

  it('feeds workers', async () => {
    const count = 50_000
    const url = has('/many.txt', Array.from({ length: count }, (_, n) => `${n}\n`).join(''))
    const half = { module: 'node:url', export: 'domainToASCII' } as const
    expect(await pipe(lines(url), pool.imap(half as never)).toArray()).toHaveLength(count)
  })

  it('sends the name of a user, and shows no password', async () => {
    const url = has('/a.txt', 'one\n').replace('//', '//me:s%26cret@')
    expect(await all(lines(url))).toEqual(['one'])
    expect(asked[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:s&cret').toString('base64')}`)
    const error = await rejection(all(lines(url.replace('a.txt', 'b.txt'))))
    expect((error as Error).message).not.toMatch(/cret/)
    expect((error as { path?: string }).path).toBe(`${host}/b.txt`)
  })

  it('follows redirects', async () => {
    has('/new.csv', text)
    answers.set('/old.csv', (_, response) => response.writeHead(302, { location: '/new.csv' }).end())
    expect(await all(csv(`${host}/old.csv`))).toEqual(rows)
  })
})

describe('a server', () => {
  it('that answers with another status than 2xx is an error with the URL', async () => {
    for (const [status, shown] of [
      [404, '404 Not Found'],
      [500, '500 Internal Server Error'],
      [304, '304 Not Modified'],
    ] as const) {
      answers.set('/a.csv', (_, response) => response.writeHead(status).end())
      const error = await rejection(all(csv(`${host}/a.csv`)))
      expect(error).toBeInstanceOf(InputError)
      expect(error).toMatchObject({ code: 'ERR_INPUT_URL', path: `${host}/a.csv`, offset: 0 })
      expect((error as Error).message).toBe(
        `Cannot read '${host}/a.csv' as the server must answer with a status from 200 to 299: received ${shown}`,
      )
    }
  })

  it('that does not answer is an error with the reason', async () => {
    answers.set('/a', (_, response) => response.destroy())
    const error = await rejection(all(lines(`${host}/a`)))
    expect(error).toMatchObject({ code: 'ERR_INPUT_URL', offset: 0, cause: expect.any(Error) as Error })
    expect((error as Error).message).toMatch(/\/a' as its server must answer: .*other side closed/)
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    await once(closed, 'close')
    const refused = await rejection(all(lines(`http://127.0.0.1:${port}/`)))
    expect((refused as Error).message).toMatch(/as its server must answer: .*ECONNREFUSED/)
  })

  it('is left at once when the consumer leaves', async () => {
    const left: Promise<unknown>[] = []
    answers.set('/endless', (_, response) => {
      left.push(once(response, 'close'))
      response.writeHead(200).write('one\n')
    })
    answers.set('/silent', (request) => void left.push(once(request.socket, 'close')))
    for await (const line of lines(`${host}/endless`)) {
      expect(line).toBe('one')
      break
    }
    const waiting = lines(`${host}/endless`)
    await waiting.next()
    const silent = lines(`${host}/silent`)
    const reads = [waiting.next(), silent.next()]
    while (left.length < 3) await new Promise((resolve) => setImmediate(resolve))
    await Promise.all([waiting.return(), silent.return()])
    expect(await Promise.all(reads)).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ])
    expect(await Promise.all(left)).toHaveLength(3)
  })
})

describe('a connection that breaks', () => {
  const body = Buffer.from(Array.from({ length: 1_000 }, (_, n) => `${n}\n`).join(''))
  const expected = body.toString().trimEnd().split('\n')

  /** Sends `length` bytes more with each answer, and breaks off. */
  function breaks(length: number, headers: Readonly<Record<string, string>>, takesRanges = true): string {
    answers.set('/broken', (request, response) => {
      const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? []
      const isRest = takesRanges && from !== undefined && request.headers['if-range'] === headers.etag
      const start = isRest ? Number(from) : 0
      const end = Math.min(body.length, start + length)
      response.writeHead(isRest ? 206 : 200, {
        ...headers,
        'content-length': String(body.length - start),
        ...(isRest && { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` }),
      })
      response.write(body.subarray(start, end), () => {
        if (end < body.length) response.destroy()
        else response.end()
      })
    })
    return `${host}/broken`
  }

  it('goes on where it was, if the server knows the version', async () => {
    const reading = lines(breaks(1_000, { etag: '"v1"' }))
    expect(await all(reading)).toEqual(expected)
    expect(asked.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=1000-', 'bytes=2000-', 'bytes=3000-'])
    expect(reading.bytes).toEqual({ read: body.length, total: body.length })
  })

  it.each([
    ['has no tag', {}, true, 1],
    ['has a weak tag', { etag: 'W/"v1"' }, true, 1],
    ['takes no ranges', { etag: '"v1"' }, false, 2],
  ])('is an error if the server %s, behind the lines that came', async (_, headers, takesRanges, requests) => {
    const given: string[] = []
    const error = await rejection(
      (async () => {
        for await (const line of lines(breaks(1_000, headers, takesRanges))) given.push(line)
      })(),
    )
    expect(error).toMatchObject({ code: 'ERR_INPUT_URL', offset: 1_000, path: `${host}/broken` })
    expect((error as Error).message).toMatch(/as all of it must come: it ended after 1000 bytes \(.+\)$/)
    expect(given).toEqual(expected.slice(0, given.length))
    expect(given.length).toBeGreaterThan(200)
    expect(asked).toHaveLength(requests)
  })

  it('is an error if the next answer has nothing', async () => {
    let answered = 0
    answers.set('/broken', (request, response) => {
      if (answered++ > 0) request.socket.destroy()
      else response.writeHead(200, { etag: '"v1"', 'content-length': '100' }).write('one\n', () => response.destroy())
    })
    const reading = lines(`${host}/broken`)
    expect(await reading.next()).toMatchObject({ value: 'one' })
    expect(await rejection(reading.next())).toMatchObject({ code: 'ERR_INPUT_URL', offset: 4 })
  })
})

it('is refused where it cannot be read, at the call', () => {
  expect(() => blocks('http://localhost/a')).toThrow(
    "Cannot split files into blocks as each source must be a path, a file: URL or files(): received 'http://localhost/a'",
  )
  for (const url of ['http://', 'https://a b/', 'http://[1']) {
    expect(() => lines(url)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_SOURCE' }) as Error)
  }
})
