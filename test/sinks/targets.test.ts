/** Streams and devices that `write()` writes to: their pressure, their errors, and how they end. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGunzip, createGzip } from 'node:zlib'
import { PassThrough, pipeline as callbackPipeline, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { imap, pipe, write } from 'millrace'
import { runProgram } from '../support/programs.js'
import { watchRejections } from '../support/rejections.js'
import { turns } from '../support/gates.js'
import { useFolder } from './folder.js'

const folder = useFolder()
watchRejections()

const onUnix = process.platform === 'win32' ? it.skip : it

function* numbers(count = Infinity): Generator<number> {
  for (let n = 1; n <= count; n++) yield n
}

describe('a Node stream', () => {
  it('gets the bytes, and is ended', async () => {
    const chunks: Buffer[] = []
    const stream = new Writable({
      write(chunk: Buffer, _, done) {
        chunks.push(chunk)
        setImmediate(done)
      },
    })
    const result = await write(stream, { format: 'ndjson' })(numbers(1_000))
    expect(stream.writableFinished).toBe(true)
    expect(Buffer.concat(chunks).toString()).toBe([...numbers(1_000)].map((n) => `${n}\n`).join(''))
    expect(result).toMatchObject({ written: 1_000, bytesWritten: 3_893, files: [] })
  })

  it('may be a file, a transform or the answer of a server', async () => {
    await write(createWriteStream(folder.at('a.txt')))(['x'])
    expect(folder.read('a.txt')).toBe('x\n')
    const gzip = createGzip()
    const [, text] = await Promise.all([
      write(gzip)(numbers(3)),
      gzip.pipe(createGunzip()).setEncoding('utf8').toArray(),
    ])
    expect(text.join('')).toBe('1\n2\n3\n')
    const server = createServer((_, response) => void write(response)(numbers(3))).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    expect(await answer.text()).toBe('1\n2\n3\n')
    server.close()
  })

  it('slows down the source: two blocks wait at most', async () => {
    const waiting: (() => void)[] = []
    const stream = new Writable({
      write(_chunk, _, done) {
        waiting.push(done)
      },
    })
    let read = 0
    const source = (function* () {
      for (; ; read++) yield 'x'.repeat(1023)
    })()
    const controller = new AbortController()
    const promise = write(stream, { signal: controller.signal })(source)
    while (waiting.length === 0) await turns(1)
    await turns(50)
    const before = read
    // Each block has 512 KiB, and a little text waits to become bytes.
    expect(before).toBeGreaterThan(512)
    expect(before).toBeLessThan(3 * 512)
    await turns(50)
    expect(read).toBe(before)
    while (read === before) {
      waiting.shift()?.()
      await turns(1)
    }
    controller.abort()
    await expect(promise).rejects.toThrow('This operation was aborted')
    expect(stream.destroyed).toBe(true)
  })

  it('gives a small amount at once to a reader that waits for it', async () => {
    const stream = new PassThrough()
    const controller = new AbortController()
    const promise = write(stream, { signal: controller.signal })(
      (async function* () {
        yield 'first'
        await new Promise(() => undefined)
      })(),
    )
    const [chunk] = (await once(stream, 'data')) as [Buffer]
    expect(chunk.toString()).toBe('first\n')
    controller.abort()
    await expect(promise).rejects.toThrow('aborted')
  })

  it('that fails ends the writing with its error, and closes the source', async () => {
    for (const when of ['write', 'final', 'between'] as const) {
      const broken = new Error(`broken ${when}`)
      const stream = new Writable({
        write(_chunk, _, done) {
          if (when === 'between') setImmediate(() => stream.destroy(broken))
          if (when !== 'between') done(when === 'write' ? broken : null)
        },
        final(done) {
          done(when === 'final' ? broken : null)
        },
      })
      let isClosed = false
      const source = (async function* () {
        try {
          yield 'x'
          if (when === 'final') return
          await new Promise(() => undefined)
        } finally {
          isClosed = true
        }
      })()
      const closing = imap((x: string) => x, source, { workers: 0 })
      await expect(write(stream)(closing)).rejects.toBe(broken)
      await turns(2)
      expect(when === 'final' ? isClosed : true).toBe(true)
    }
  })

  it('that others close ends it with an error of its own', async () => {
    const stream = new PassThrough()
    const promise = write(stream)(
      (async function* () {
        yield 'x'
        stream.destroy()
        await new Promise(() => undefined)
      })(),
    )
    await expect(promise).rejects.toMatchObject({ code: 'ERR_OUTPUT_CLOSED' })
    const ended = new PassThrough()
    ended.end()
    ended.resume()
    await once(ended, 'close')
    await expect(write(ended)(['x'])).rejects.toMatchObject({ code: 'ERR_OUTPUT_CLOSED' })
  })

  it('gets what came before an error of the source', async () => {
    const stream = new PassThrough()
    const chunks: string[] = []
    stream.setEncoding('utf8').on('data', (text: string) => chunks.push(text))
    const source = (function* () {
      yield 'x'
      throw new Error('broken')
    })()
    await expect(write(stream)(source)).rejects.toThrow('broken')
    expect(chunks.join('')).toBe('x\n')
    expect(stream.destroyed).toBe(true)
  })
})

describe('a web stream', () => {
  it('gets the bytes, and is closed', async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const [result, text] = await Promise.all([write(writable)(numbers(100)), new Response(readable).text()])
    expect(text).toBe([...numbers(100)].map((n) => `${n}\n`).join(''))
    expect(result).toMatchObject({ written: 100, bytesWritten: 292 })
  })

  it('that fails, or is cancelled by its reader, ends the writing', async () => {
    const broken = new Error('broken')
    const writable = new WritableStream<Uint8Array>({
      write() {
        throw broken
      },
    })
    await expect(write(writable)(numbers())).rejects.toBe(broken)
    const pair = new TransformStream<Uint8Array, Uint8Array>()
    const promise = write(pair.writable)(numbers())
    await pair.readable.cancel(broken)
    await expect(promise).rejects.toBe(broken)
  })

  it('is aborted with the error of the source', async () => {
    let reason: unknown
    const writable = new WritableStream<Uint8Array>({
      abort(given) {
        reason = given
      },
    })
    const broken = new Error('broken')
    const source = (function* () {
      yield 'x'
      throw broken
    })()
    await expect(write(writable)(source)).rejects.toBe(broken)
    expect(reason).toBe(broken)
    expect(writable.locked).toBe(false)
  })

  it('must not be locked', () => {
    const writable = new WritableStream<Uint8Array>()
    writable.getWriter()
    expect(() => write(writable)).toThrow('(it is locked: another writer has it)')
  })
})

describe('the standard output', () => {
  it('is written, and stays open', async () => {
    for (const target of ['stdout', '/dev/stdout']) {
      const { code, stdout, stderr } = await runProgram('write-stdout.js', ['20000', target])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '{"closed":1,"wroteAll":true}\n' })
      expect(stdout).toBe([...numbers(20_000)].map((n) => `${n}\n`).join(''))
    }
  })

  onUnix('whose reader leaves ends the run quietly, and closes the source', async () => {
    const program = fileURLToPath(new URL('../fixtures/programs/write-stdout.js', import.meta.url))
    for (const target of ['stdout', '/dev/stdout']) {
      const child = spawn('sh', ['-c', '"$0" "$1" Infinity "$2" | head -n 2', process.execPath, program, target], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const [out, err] = await Promise.all([
        child.stdout.setEncoding('utf8').toArray(),
        child.stderr.setEncoding('utf8').toArray(),
      ])
      expect(out.join('')).toBe('1\n2\n')
      expect(err.join('')).toBe('{"closedEarly":true,"closed":1,"wroteAll":false}\n')
    }
  })
})

describe('a pipe by path', () => {
  onUnix('is written directly', async () => {
    execFileSync('mkfifo', [folder.at('pipe')])
    const [text] = await Promise.all([readFile(folder.at('pipe'), 'utf8'), write(folder.at('pipe'))(['x', 'y'])])
    expect(text).toBe('x\ny\n')
    expect(folder.files()).toEqual(['pipe'])
  })
})

describe('write() in stream.pipeline()', () => {
  it('is its last part', async () => {
    await pipeline(
      Readable.from(['a', 'b']),
      (source: AsyncIterable<string>) => imap((text: string) => text + text, source, { workers: 0 }),
      write(folder.at('a.txt')) as never,
    )
    expect(folder.read('a.txt')).toBe('aa\nbb\n')
  })

  it('fails with the error of a stage', async () => {
    const source = Readable.from(['a', 'b'])
    const error = await new Promise((resolve) => {
      callbackPipeline(
        source,
        (items: AsyncIterable<string>) =>
          imap(
            () => {
              throw new Error('broken')
            },
            items,
            { workers: 0 },
          ),
        write(folder.at('a.txt')) as never,
        resolve as never,
      )
    })
    expect(error).toMatchObject({ message: 'broken' })
    expect(source.destroyed).toBe(true)
    expect(folder.files()).toEqual([])
  })
})

it('a pipe of two writes gives the same bytes as one', async () => {
  await pipe(numbers(10), write(folder.at('a.txt')))
  await pipe(numbers(10), write(folder.at('b.txt')))
  expect(folder.read('a.txt')).toBe(folder.read('b.txt'))
})
