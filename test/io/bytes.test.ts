import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import { lines, type ByteSource } from 'millrace'

const DONE = { done: true, value: undefined }

async function collect(source: AsyncIterable<string>): Promise<string[]> {
  const given: string[] = []
  for await (const line of source) given.push(line)
  return given
}

/** Gives its chunks, then stays silent. Counts its calls. */
class SilentSource implements AsyncIterableIterator<Uint8Array> {
  opened = 0
  read = 0
  returned = 0
  readonly #chunks: unknown[]
  /** Settles when a `next()` comes after the last chunk. */
  readonly silent: Promise<void>
  #fallSilent: () => void = () => {}

  constructor(...chunks: unknown[]) {
    this.#chunks = chunks
    this.silent = new Promise((resolve) => {
      this.#fallSilent = resolve
    })
  }

  [Symbol.asyncIterator](): this {
    this.opened++
    return this
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    this.read++
    if (this.#chunks.length > 0) return Promise.resolve({ done: false, value: this.#chunks.shift() as Uint8Array })
    this.#fallSilent()
    return new Promise(() => {})
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.returned++
    return Promise.resolve({ done: true, value: undefined })
  }
}

describe('lines() reads', () => {
  const chunks = [Buffer.from('one\ntw'), Buffer.from('o\nthree')]
  const expected = ['one', 'two', 'three']

  it('an iterable of byte chunks', async () => {
    expect(await collect(lines(chunks))).toEqual(expected)
    expect(await collect(lines(new Set(chunks.map((chunk) => new Uint8Array(chunk)))))).toEqual(expected)
  })

  it('an async iterable of byte chunks', async () => {
    async function* source() {
      for (const chunk of chunks) yield await Promise.resolve(chunk)
    }
    expect(await collect(lines(source()))).toEqual(expected)
  })

  it('a Node stream', async () => {
    expect(await collect(lines(Readable.from(chunks)))).toEqual(expected)
  })

  it('a web stream', async () => {
    expect(await collect(lines(ReadableStream.from(chunks)))).toEqual(expected)
    expect(await collect(lines(new Blob(chunks).stream() as ReadableStream<Uint8Array>))).toEqual(expected)
  })

  it('chunks that are ArrayBuffers', async () => {
    const buffers = chunks.map((chunk) => Uint8Array.from(chunk).buffer)
    expect(await collect(lines(ReadableStream.from(buffers) as unknown as ByteSource))).toEqual(expected)
  })

  it('an array of ArrayBuffers, as one source', async () => {
    expect(await collect(lines([Uint8Array.from(Buffer.from('one\ntw')).buffer, Buffer.from('o')]))).toEqual([
      'one',
      'two',
    ])
  })

  it('a view of a part of its memory as that part', async () => {
    const memory = new TextEncoder().encode('no\nyes\nno')
    expect(await collect(lines([memory.subarray(3, 7)]))).toEqual(['yes'])
  })
})

describe('lines() refuses at the call', () => {
  it.each([
    [5, "5 (for a file descriptor: createReadStream('', { fd }))"],
    [0, '0 (for the standard input: process.stdin)'],
    [undefined, 'undefined (nothing was given: check the value of the path)'],
    [null, 'null (nothing was given'],
    ['', "'' (nothing was given"],
    [{}, '{}'],
    [true, 'true'],
    [Symbol('x'), 'Symbol(x)'],
    [/x/, '/x/'],
    [new ArrayBuffer(1), '(for bytes in memory: [buffer])'],
    [new SharedArrayBuffer(1), '(for bytes in memory: [buffer])'],
    [
      new DataView(new ArrayBuffer(1)),
      '(for bytes in memory: [new Uint8Array(view.buffer, view.byteOffset, view.byteLength)])',
    ],
    [new Uint8ClampedArray(1), '(for bytes in memory: [new Uint8Array(view.buffer'],
    [new Uint16Array(1), '(for bytes in memory: [new Uint8Array(view.buffer'],
    [new BigInt64Array(1), '(for bytes in memory: [new Uint8Array(view.buffer'],
    [function* () {}, '(a generator: call it)'],
    [async function* () {}, '(a generator: call it)'],
    [() => [], '(a function: call it, if it returns the source)'],
    [new Blob(['a']), '(for the text of a Blob: blob.stream())'],
    [new DecompressionStream('gzip'), '(for its output: .readable)'],
    [{ stdout: Readable.from([]), stderr: null }, '(for the output of a child process: child.stdout)'],
    ['s3://bucket/a.log', "'s3://bucket/a.log' (open it first, and pass its stream of bytes)"],
    [new URL('data:,a'), "'data:,a' (for a URL: (await fetch(url)).body)"],
    ['https://a b/c', "'https://a b/c'"],
    [new Response('a'), '(for the text of a response: response.body)'],
    [Promise.resolve(new Response('a')), '(await the promise first)'],
    [{ createReadStream: () => undefined }, '(for an open file: file.createReadStream())'],
    [new URL('file://elsewhere/a'), "'file://elsewhere/a'"],
    [Buffer.from('a'), '(for bytes in memory: [bytes])'],
  ])('%p', (source, received) => {
    const call = () => lines(source as unknown as ByteSource)
    expect(call).toThrow(TypeError)
    expect(call).toThrow(
      'Cannot read lines as its source must be a path, a URL of a file or a server, a stream of bytes or an iterable',
    )
    expect(call).toThrow(received)
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_INVALID_SOURCE' }) as Error)
  })
})

describe('lines() refuses a chunk that is not bytes', () => {
  it('after the lines before it, and closes the source once', async () => {
    const source = new SilentSource(Buffer.from('one\ntw'), 7)
    const reading = lines(source)
    expect(await reading.next()).toEqual({ done: false, value: 'one' })
    await expect(reading.next()).rejects.toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_SOURCE',
      message: 'Cannot read lines as its source must give bytes (Uint8Array or Buffer): received 7',
    })
    expect(await reading.next()).toEqual(DONE)
    await reading.return()
    expect(source).toMatchObject({ read: 2, returned: 1 })
  })

  it('such as the strings of a stream with an encoding, and destroys the stream', async () => {
    const stream = Readable.from([Buffer.from('one\n')], { objectMode: false }).setEncoding('utf8')
    await expect(lines(stream).next()).rejects.toThrow(
      "received 'one\\n' (do not set an encoding: the stream then gives bytes)",
    )
    expect(stream.destroyed).toBe(true)
  })
})

describe('lines() says what to give instead of a chunk that is not bytes', () => {
  it.each([
    [
      new Set(['a.log']),
      "'a.log' (for the lines of several files: an array of paths, or files(); for text: Buffer.from(text))",
    ],
    [lines([Buffer.from('one')]), "'one' (for the lines of several files"],
    [
      [new DataView(new ArrayBuffer(1))].values(),
      '(for the bytes of a view: new Uint8Array(view.buffer, view.byteOffset, view.byteLength))',
    ],
    [[new Uint16Array(1)].values(), '(for the bytes of a view'],
    [[1].values(), 'received 1'],
    [[undefined].values(), 'received undefined'],
  ])('%p', async (source, received) => {
    const message: unknown = expect.stringContaining(received)
    await expect(lines(source as unknown as ByteSource).next()).rejects.toMatchObject({
      code: 'ERR_INVALID_SOURCE',
      message,
    })
  })
})

describe('lines() opens its source', () => {
  it('at the first next(), not before', async () => {
    const source = new SilentSource(Buffer.from('one\n'))
    const reading = lines(source)
    expect(source).toMatchObject({ opened: 0, read: 0 })
    await reading.next()
    expect(source).toMatchObject({ opened: 1, read: 1 })
  })

  it('never, when it is ended before', async () => {
    const source = new SilentSource()
    const reading = lines(source)
    expect(await reading.return()).toEqual(DONE)
    expect(await reading.next()).toEqual(DONE)
    expect(source).toMatchObject({ opened: 0, read: 0, returned: 0 })
  })
})

describe('lines() closes its source', () => {
  it('once when the consumer breaks', async () => {
    const source = new SilentSource(Buffer.from('one\ntwo\n'))
    const reading = lines(source)
    for await (const line of reading) {
      expect(line).toBe('one')
      break
    }
    await reading.return()
    expect(source).toMatchObject({ read: 1, returned: 1 })
  })

  it('once, and settles, when return() comes while next() waits; that next() says done', async () => {
    const source = new SilentSource()
    const reading = lines(source)
    const waiting = [reading.next(), reading.next()]
    await source.silent
    expect(await Promise.all([reading.return(), reading.return()])).toEqual([DONE, DONE])
    expect(await Promise.all(waiting)).toEqual([DONE, DONE])
    expect(source).toMatchObject({ read: 1, returned: 1 })
  })

  it('once when a line is too long', async () => {
    const source = new SilentSource(Buffer.from('too long'))
    await expect(lines(source, { maxLength: 3 }).next()).rejects.toMatchObject({ code: 'ERR_LINE_TOO_LONG' })
    expect(source).toMatchObject({ read: 1, returned: 1 })
  })

  it('once when it is gzip and corrupt', async () => {
    const source = new SilentSource(Buffer.from([0x1f, 0x8b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))
    await expect(lines(source).next()).rejects.toMatchObject({ code: 'ERR_DAMAGED_INPUT' })
    expect(source.returned).toBe(1)
  })

  it('not when it has ended, nor reads on', async () => {
    let reads = 0
    let returns = 0
    const source = {
      [Symbol.iterator]: () => ({
        next: (): IteratorResult<Buffer> =>
          reads++ === 0 ? { done: false, value: Buffer.from('a\nb') } : { done: true, value: undefined },
        return: (): IteratorResult<Buffer> => {
          returns++
          return { done: true, value: undefined }
        },
      }),
    }
    const reading = lines(source)
    expect(await collect(reading)).toEqual(['a', 'b'])
    await reading.return()
    expect({ reads, returns }).toEqual({ reads: 2, returns: 0 })
  })

  it('not when it threw; its error comes unchanged, after the lines before it', async () => {
    for (const thrown of [new Error('source failed'), undefined]) {
      let returns = 0
      let reads = 0
      const source = {
        [Symbol.asyncIterator]: () => ({
          next: (): Promise<IteratorResult<Buffer>> =>
            reads++ === 0 ? Promise.resolve({ done: false, value: Buffer.from('one\ntw') }) : Promise.reject(thrown),
          return: (): Promise<IteratorResult<Buffer>> => {
            returns++
            return Promise.resolve({ done: true, value: undefined })
          },
        }),
      }
      const reading = lines(source)
      expect((await reading.next()).value).toBe('one')
      const [failed] = await Promise.allSettled([reading.next()])
      expect(failed).toEqual({ status: 'rejected', reason: thrown })
      expect(await reading.next()).toEqual(DONE)
      await reading.return()
      expect({ reads, returns }).toEqual({ reads: 2, returns: 0 })
    }
  })

  it('when it is a silent Node stream, at once', async () => {
    const stream = new PassThrough()
    const reading = lines(stream)
    stream.write('one\ntwo')
    expect((await reading.next()).value).toBe('one')
    const waiting = reading.next()
    const closed = once(stream, 'close')
    await reading.return()
    expect(await waiting).toEqual(DONE)
    expect(stream.destroyed).toBe(true)
    await closed
  })

  it('when it is a silent web stream, cancelling it once', async () => {
    let cancelled = 0
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(Buffer.from('one\ntwo'))
      },
      cancel: () => {
        cancelled++
      },
    })
    const reading = lines(stream)
    expect((await reading.next()).value).toBe('one')
    const waiting = reading.next()
    await reading.return()
    await reading.return()
    expect(await waiting).toEqual(DONE)
    expect(cancelled).toBe(1)
    expect(stream.locked).toBe(false)
  })

  it('waiting no more than a second for it: a silent generator never answers return()', async () => {
    let fallSilent = () => {}
    const silent = new Promise<void>((resolve) => {
      fallSilent = resolve
    })
    async function* source() {
      yield Buffer.from('one\n')
      fallSilent()
      await new Promise(() => {})
    }
    const reading = lines(source())
    await reading.next()
    const waiting = reading.next()
    await silent
    const returned = reading.return()
    expect(await waiting).toEqual(DONE)
    expect(await returned).toEqual(DONE)
  })

  it('and handles every late rejection', async () => {
    const unhandled: unknown[] = []
    const listener = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', listener)
    let fail: (error: Error) => void = () => {}
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          new Promise<IteratorResult<Buffer>>((_, reject) => {
            fail = reject
          }),
        return: () => Promise.reject(new Error('close failed')),
      }),
    }
    const reading = lines(source)
    const waiting = reading.next()
    await expect(reading.return()).rejects.toThrow('close failed')
    fail(new Error('read failed'))
    expect(await waiting).toEqual(DONE)
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    process.off('unhandledRejection', listener)
    expect(unhandled).toEqual([])
  })
})
