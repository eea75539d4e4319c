/** The option `decompress`: a program makes the text of an input. It is started, fed, and ended with the reading. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { csv, imap, InputError, json, lines, ndjson, pipe, type ByteSource, type LinesOptions } from 'millrace'

const folder = mkdtempSync(join(tmpdir(), 'millrace-program-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** A program of Node, whose code gets its standard input as `process.stdin`. */
function node(code: string): readonly string[] {
  return [process.execPath, '--input-type=module', '--eval', code]
}

const CAT = node('process.stdin.pipe(process.stdout)')

async function collect(source: AsyncIterable<string>, given: string[] = []): Promise<string[]> {
  for await (const line of source) given.push(line)
  return given
}

async function untilError(source: ByteSource | ByteSource[], options: LinesOptions) {
  const given: string[] = []
  const error: unknown = await collect(lines(source, options), given).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(Error)
  return { given, error: error as Error }
}

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const has = (program: string) => spawnSync(program, ['--version']).error === undefined
const large = Array.from({ length: 100_000 }, (_, n) => `line ${n}`)

describe('decompress runs a program', () => {
  for (const [program, ...args] of [
    ['xz', '-dc'],
    ['bzip2', '-dc'],
    ['zstd', '-dc'],
    ['gzip', '-dc'],
  ] as const) {
    const itWithIt = has(program) ? it : it.skip
    itWithIt(`${program} on a file, a stream, and bytes in memory`, async () => {
      const bytes = execFileSync(program, ['-1', '-c'], { input: large.join('\n'), maxBuffer: 2 ** 26 })
      const path = file(`large.${program}`, bytes)
      const decompress = [program, ...args]
      for (const source of [path, Readable.from([bytes]), [[bytes.subarray(0, 10), bytes.subarray(10)]]]) {
        expect(await collect(lines(source as ByteSource, { decompress }))).toEqual(large)
      }
      const stage = pipe(lines([path, path], { decompress }), imap({ module: 'node:path', export: 'basename' }))
      expect(await collect(stage as AsyncIterable<string>)).toEqual([...large, ...large])
    })
  }

  it('once for each input, in order, also side by side', async () => {
    const paths = Array.from({ length: 7 }, (_, n) => file(`part ${n}`, `${n}a\n${n}b`))
    const upper = node(
      'process.stdin.setEncoding("utf8").on("data", (text) => process.stdout.write(text.toUpperCase()))',
    )
    expect(await collect(lines(paths, { decompress: upper }))).toEqual(paths.flatMap((_, n) => [`${n}A`, `${n}B`]))
  })

  it('and reads its output as any input: gzip, UTF-16, an encoding, the limits of lines', async () => {
    expect(await collect(lines([[gzipSync('a\nb')]], { decompress: CAT }))).toEqual(['a', 'b'])
    expect(await collect(lines([[Buffer.from('\ufeffa\nb', 'utf16le')]], { decompress: CAT }))).toEqual(['a', 'b'])
    expect(await collect(lines([[Buffer.from('é', 'latin1')]], { decompress: CAT, encoding: 'latin1' }))).toEqual(['é'])
    const { error } = await untilError([[Buffer.from('short\nlong line')]], { decompress: CAT, maxLength: 6 })
    expect(error).toMatchObject({ code: 'ERR_LINE_TOO_LONG', line: 2, offset: 6 })
    expect(await collect(lines([[gzipSync('a')]], { decompress: CAT, detect: false }))).not.toEqual(['a'])
    expect(await collect(lines([[]], { decompress: CAT }))).toEqual([])
  })

  it('for records, too', async () => {
    const given: unknown[] = []
    for await (const row of csv([gzipSync('a,b\n1,2\n')], { decompress: CAT })) given.push(row)
    for await (const row of ndjson([gzipSync('{"a":1}\n')], { decompress: CAT })) given.push(row)
    for await (const row of json([gzipSync('[{"a":2}]')], { decompress: CAT })) given.push(row)
    expect(given).toEqual([{ a: '1', b: '2' }, { a: 1 }, { a: 2 }])
    await expect(json('missing.json', { decompress: CAT }).next()).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(csv([[]], { decompress: ['no-such-program'] }).next()).rejects.toMatchObject({
      code: 'ERR_DECOMPRESS',
    })
    expect(() => csv('a', { decompress: [] })).toThrow("'decompress' must be an array of a program")
  })

  it('without a shell: what would be special there is not', async () => {
    const program = node('process.stdout.write(process.argv.slice(1).join("\\n"))')
    const args = ['$HOME', '*', 'a b', '"', "'", '; ls', '&& ls', '| ls', '`ls`', '%PATH%', '\\']
    expect(await collect(lines([[]], { decompress: [...program, '--', ...args] }))).toEqual(args)
  })

  it('that need not read all of its input', async () => {
    let closed = 0
    async function* endless() {
      try {
        for (;;) yield Buffer.alloc(65_536, 'a\n')
      } finally {
        closed++
      }
    }
    const program = node('process.stdin.once("data", () => { console.log("enough"); process.exit(0) })')
    expect(await collect(lines(endless(), { decompress: program }))).toEqual(['enough'])
    expect(closed).toBe(1)
  })

  it('and a source that gives bytes slowly is not waited for when the program has ended', async () => {
    let closed = 0
    const silent = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<Buffer>>(() => {}),
        return: () => {
          closed++
          return Promise.resolve({ done: true as const, value: undefined })
        },
      }),
    }
    expect(await collect(lines(silent, { decompress: node('console.log("done")') }))).toEqual(['done'])
    expect(closed).toBe(1)
  })
})

describe('decompress tells what went wrong', () => {
  it('if the program is not there, with the file', async () => {
    const path = file('any', 'a\n')
    for (const source of [path, [[Buffer.from('a\n')]] as ByteSource[]]) {
      const { error, given } = await untilError(source, { decompress: ['no-such-program', '-dc'] })
      expect(error).toBeInstanceOf(InputError)
      expect(error).toMatchObject({
        code: 'ERR_DECOMPRESS',
        cause: { code: 'ENOENT' },
        ...(source === path && { path }),
      })
      expect(error.message).toBe(
        "Cannot decompress the input as the program 'no-such-program' must start: received ENOENT (install it, or give its path)" +
          (source === path ? ` (in '${path}')` : ''),
      )
      expect(given).toEqual([])
    }
  })

  it('if it may not be run', async () => {
    const { error } = await untilError([[]], { decompress: [file('not-a-program', 'text')] })
    expect(error).toMatchObject({
      code: 'ERR_DECOMPRESS',
      message: expect.stringContaining('must start: received') as string,
    })
  })

  it('by its exit code and its standard error, after the lines before, with the file', async () => {
    const path = file('bad', 'x')
    const code =
      'process.stdout.write("one\\ntwo", () => { console.error("tool: \\x1b[31mbad\\n  data"); process.exit(3) }); process.stdin.resume()'
    const { error, given } = await untilError(path, { decompress: node(code) })
    expect(given).toEqual(['one'])
    expect(error).toMatchObject({ code: 'ERR_DECOMPRESS', offset: 1, path })
    expect(error.message).toContain(
      `must end with exit code 0: received exit code 3 (tool: [31mbad data) (in '${path}')`,
    )
    expect(error.message).toContain(process.execPath)
  })

  it('of one that writes very much to its standard error: the end of it', async () => {
    const code = 'process.stderr.write("x".repeat(1e6) + "the end", () => process.exit(1))'
    const { error } = await untilError([[]], { decompress: node(code) })
    expect(error.message).toMatch(/received exit code 1 \(…x+the end\)$/)
    expect(error.message.length).toBeLessThan(1_000)
  })

  const itOnUnix = process.platform === 'win32' ? it.skip : it
  itOnUnix('by the signal that ended it', async () => {
    const { error, given } = await untilError([[]], {
      decompress: node('process.stdout.write("one\\n", () => process.kill(process.pid, "SIGTERM"))'),
    })
    expect(given).toEqual(['one'])
    expect(error).toMatchObject({
      code: 'ERR_DECOMPRESS',
      message: expect.stringContaining('received the signal SIGTERM') as string,
    })
  })

  for (const [program, ...args] of [
    ['xz', '-dc'],
    ['gzip', '-dc'],
  ] as const) {
    const itWithIt = has(program) ? it : it.skip
    itWithIt(`of ${program} for damaged and for cut data`, async () => {
      const bytes = execFileSync(program, ['-1', '-c'], { input: large.join('\n'), maxBuffer: 2 ** 26 })
      for (const damaged of [Buffer.from('not compressed'), bytes.subarray(0, bytes.length >> 1)]) {
        const { error } = await untilError([[damaged]], { decompress: [program, ...args] })
        expect(error).toMatchObject({ code: 'ERR_DECOMPRESS', offset: damaged.length })
        expect(error.message).toMatch(
          new RegExp(`'${program} -dc' must end with exit code 0: received exit code 1 \\(${program}: `),
        )
      }
    })
  }

  it('of a source that throws: its error, after the lines of the bytes before', async () => {
    const thrown = new Error('the disk is gone')
    function* source() {
      yield Buffer.from('one\n')
      throw thrown
    }
    const { error, given } = await untilError(source(), { decompress: CAT })
    expect(error).toBe(thrown)
    expect(given).toEqual(['one'])
  })

  it.each([
    [
      'xz -dc',
      "Cannot read lines as 'decompress' must be an array of a program and its arguments, such as ['xz', '-dc']: received 'xz -dc' (write [ 'xz', '-dc' ])",
    ],
    [[], 'received []'],
    [[''], "received [ '' ]"],
    [['xz', 1], "received [ 'xz', 1 ]"],
    [['xz', 'a\0b'], "received [ 'xz', 'a\\x00b' ]"],
    [true, 'received true'],
  ])('at the call, for a bad option: %j', (decompress, message) => {
    const call = () => lines('a', { decompress: decompress as string[] })
    expect(call).toThrow(TypeError)
    expect(call).toThrow(message)
  })
})

describe('decompress ends its program when the stream is left', () => {
  /** Writes its process id, and then lines without end. It ignores what it can. */
  const endless = (path: string) =>
    node(`
      import { writeFileSync } from 'node:fs'
      process.on('SIGTERM', () => {})
      process.stdin.on('error', () => {}).resume()
      process.stdout.on('error', () => {})
      writeFileSync(${JSON.stringify(path)}, String(process.pid))
      process.stdout.write('one\\n')
      setInterval(() => process.stdout.write('more\\n'), 5)
    `)

  function isAlive(path: string): boolean {
    try {
      return process.kill(Number(readFileSync(path, 'utf8')), 0)
    } catch {
      return false
    }
  }

  it('by a break, and while next() waits', async () => {
    for (const [name, isWaiting] of [
      ['break.pid', false],
      ['waits.pid', true],
    ] as const) {
      const path = join(folder, name)
      const program = isWaiting
        ? [...endless(path)].map((part) => part.replace(/setInterval.*$/m, 'setInterval(() => {}, 1e6)'))
        : endless(path)
      let closed = 0
      function* source() {
        try {
          for (;;) yield Buffer.from('x')
        } finally {
          closed++
        }
      }
      const reading = lines(source(), { decompress: program })
      expect((await reading.next()).value).toBe('one')
      expect(isAlive(path)).toBe(true)
      const pending = isWaiting ? reading.next() : undefined
      await reading.return()
      expect(isAlive(path)).toBe(false)
      expect(closed).toBe(1)
      if (pending) expect(await pending).toEqual({ done: true, value: undefined })
    }
  })

  it('also those that were started ahead', async () => {
    const paths = Array.from({ length: 4 }, (_, n) => file(`ahead ${n}`, 'x'))
    const pids = join(folder, 'ahead.pids')
    const program = node(`
      import { appendFileSync } from 'node:fs'
      process.stdin.resume()
      appendFileSync(${JSON.stringify(pids)}, process.pid + '\\n')
      process.stdout.write('one\\n')
      setInterval(() => {}, 1e6)
    `)
    const reading = lines(paths, { decompress: program })
    expect((await reading.next()).value).toBe('one')
    await reading.return()
    expect(existsSync(pids)).toBe(true)
    for (const pid of readFileSync(pids, 'utf8').trim().split('\n')) {
      expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH')
    }
  })
})
