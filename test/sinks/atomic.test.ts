/** Files appear whole or not at all, whatever happens while they are written. */
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { getEventListeners, once } from 'node:events'
import { execFileSync, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { imap, lines, pipe, Pool, write } from 'millrace'
import { same, waits } from '../fixtures/sinks.js'
import { watchRejections } from '../support/rejections.js'
import { useFolder } from './folder.js'
import { watchHandles } from './handles.js'

const folder = useFolder()
const pool = new Pool({ workers: 2, name: 'atomic' })
watchRejections()
afterAll(() => pool.terminate())

const onLinux = process.platform === 'linux' ? it : it.skip

/** Text of about this many bytes, line by line. */
function* text(bytes: number): Generator<string> {
  for (let n = 0; n * 100 < bytes; n++) yield String(n).padEnd(99, '.')
}

describe('a file that is written', () => {
  it('replaces the old file when it is whole, and keeps its mode', async () => {
    const path = folder.at('a.txt')
    writeFileSync(path, 'old')
    chmodSync(path, 0o640)
    const seen: string[] = []
    await write(path)(
      (function* () {
        for (const line of text(3_000_000)) {
          if (line.startsWith('20000.')) seen.push(folder.read('a.txt'), ...folder.files())
          yield line
        }
      })(),
    )
    expect(seen).toEqual(['old', 'a.txt', 'a.txt.part'])
    expect(statSync(path)).toMatchObject({ size: 3_000_000, mode: 0o100640 })
    expect(folder.files()).toEqual(['a.txt'])
  })

  onLinux('is synced before it is renamed, and its folders after that', async () => {
    const seen: unknown[] = []
    const restore = await watchHandles((path) => seen.push([path, folder.files()]))
    try {
      await write(folder.at('x', 'a.txt'))(['1'])
    } finally {
      restore()
    }
    expect(seen).toEqual([
      [folder.at('x', 'a.txt.part'), ['x/a.txt.part']],
      [folder.at('x'), ['x/a.txt']],
      [folder.path, ['x/a.txt']],
    ])
  })

  it('stands in folders that are made for it', async () => {
    await write(folder.at('x', 'y', 'a.txt'))(['1'])
    expect(folder.files()).toEqual(['x/y/a.txt'])
  })

  it('is where a link leads, and the link stays', async () => {
    mkdirSync(folder.at('real'))
    writeFileSync(folder.at('real', 'a.txt'), 'old')
    symlinkSync(folder.at('real', 'a.txt'), folder.at('link.txt'))
    await write(folder.at('link.txt'))(['new'])
    expect(lstatSync(folder.at('link.txt')).isSymbolicLink()).toBe(true)
    expect(folder.read('real', 'a.txt')).toBe('new\n')
    expect(folder.files()).toEqual(['link.txt', 'real/a.txt'])
  })

  it('takes the place of a .part that was left behind', async () => {
    writeFileSync(folder.at('a.txt.part'), 'half of it, and more than the new one')
    await write(folder.at('a.txt'))(['new'])
    expect(folder.read('a.txt')).toBe('new\n')
    expect(folder.files()).toEqual(['a.txt'])
  })
})

describe('an error leaves the old file, and no .part', () => {
  const cases: [what: string, source: () => AsyncIterable<unknown> | Iterable<unknown>, message: string][] = [
    [
      'of the source',
      function* () {
        yield* text(2_000_000)
        throw new Error('broken source')
      },
      'broken source',
    ],
    [
      'of an async source',
      async function* () {
        yield 'x'
        await Promise.resolve()
        throw new Error('broken source')
      },
      'broken source',
    ],
    [
      'of an item that is a promise',
      function* () {
        yield 'x'
        yield Promise.reject(new Error('broken item'))
      },
      'broken item',
    ],
    ['of a task', () => imap((n) => Promise.reject(new Error(`no ${String(n)}`)), [1], { workers: 0 }), 'no 1'],
    ['of a task in a worker', () => pool.imap(same, ['x', { toString: 1 }]), 'Cannot write item 1 as text'],
    ['of the format', () => [...text(2_000_000), null], 'Cannot write item 20000'],
  ]
  it.each(cases)('%s', async (_, source, message) => {
    writeFileSync(folder.at('a.txt'), 'old')
    await expect(write(folder.at('a.txt'))(source())).rejects.toThrow(message)
    expect(folder.read('a.txt')).toBe('old')
    expect(folder.files()).toEqual(['a.txt'])
  })

  it('of the format, and the source is closed', async () => {
    let isClosed = false
    const source = (function* (): Generator {
      try {
        yield {}
        yield 'x'
      } finally {
        isClosed = true
      }
    })()
    await expect(write(folder.at('a.txt'))(source)).rejects.toThrow('Cannot write item 0')
    expect(isClosed).toBe(true)
    const stream = imap(
      (x: unknown) => x,
      (async function* () {
        for (;;) yield await Promise.resolve({})
      })(),
      { workers: 0 },
    )
    await expect(write(folder.at('a.txt'))(stream)).rejects.toThrow('Cannot write item 0')
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })
})

describe('an abort', () => {
  it('leaves the old file and no .part, closes the source, and rejects with its reason', async () => {
    writeFileSync(folder.at('a.txt'), 'old')
    const reason = new Error('enough')
    for (const source of [
      pool.imap(waits, ['x']),
      (async function* () {
        yield 'x'
        await new Promise(() => undefined)
      })(),
      (function* () {
        for (;;) yield 'x'.repeat(99)
      })(),
    ] as AsyncIterable<unknown>[]) {
      const controller = new AbortController()
      const promise = write(folder.at('a.txt'), { signal: controller.signal })(source)
      setImmediate(() => {
        controller.abort(reason)
      })
      await expect(promise).rejects.toBe(reason)
      expect(folder.files()).toEqual(['a.txt'])
      expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    }
    expect(folder.read('a.txt')).toBe('old')
  })

  it('before the start opens and reads nothing', async () => {
    let isRead = false
    const source = (function* () {
      isRead = true
      yield 'x'
    })()
    await expect(write(folder.at('x', 'a.txt'), { signal: AbortSignal.abort('no') })(source)).rejects.toBe('no')
    expect([isRead, existsSync(folder.at('x'))]).toEqual([false, false])
    expect(source.next()).toEqual({ done: true, value: undefined })
  })
})

describe('overwrite: false', () => {
  it('refuses a file that exists, at the start', async () => {
    writeFileSync(folder.at('a.txt'), 'old')
    const source = text(100)
    await expect(write(folder.at('a.txt'), { overwrite: false })(source)).rejects.toMatchObject({
      code: 'ERR_OUTPUT_EXISTS',
      path: folder.at('a.txt'),
      message: `Cannot write '${folder.at('a.txt')}' as the file exists and 'overwrite' is false (choose another name, or overwrite: true)`,
    })
    expect(source.next().done).toBe(true)
    expect(folder.files()).toEqual(['a.txt'])
  })

  it('also one that comes into being meanwhile', async () => {
    const source = (function* () {
      yield 'x'
      writeFileSync(folder.at('a.txt'), 'of another program')
    })()
    await expect(write(folder.at('a.txt'), { overwrite: false })(source)).rejects.toMatchObject({
      code: 'ERR_OUTPUT_EXISTS',
    })
    expect(folder.read('a.txt')).toBe('of another program')
    expect(folder.files()).toEqual(['a.txt'])
  })

  it('writes a new one', async () => {
    await write(folder.at('a.txt'), { overwrite: false })(['x'])
    expect(folder.files()).toEqual(['a.txt'])
  })
})

describe('an output that is an input', () => {
  it('is refused, by whatever name', async () => {
    writeFileSync(folder.at('in.txt'), 'one\n')
    symlinkSync(folder.at('in.txt'), folder.at('soft.txt'))
    linkSync(folder.at('in.txt'), folder.at('hard.txt'))
    for (const name of ['in.txt', 'soft.txt', 'hard.txt']) {
      const sources = [
        lines(folder.at('in.txt')),
        imap((x: string) => x, lines(['/dev/null', folder.at('in.txt')]), { workers: 0 }),
      ]
      for (const source of sources) {
        await expect(pipe(source, write(folder.at(name)))).rejects.toMatchObject({
          code: 'ERR_OUTPUT_IS_INPUT',
          message: `Cannot write '${folder.at(name)}' as it is the input '${folder.at('in.txt')}' (write to another file, and rename it afterwards)`,
        })
      }
    }
    renameSync(folder.at('in.txt'), folder.at('x.txt.part'))
    await expect(pipe(lines(folder.at('x.txt.part')), write(folder.at('x.txt')))).rejects.toMatchObject({
      code: 'ERR_OUTPUT_IS_INPUT',
    })
    expect(folder.read('hard.txt')).toBe('one\n')
  })
})

it('two writers of a file never mix: the first finds that it was replaced', async () => {
  let isOpen = (): void => undefined
  const opened = new Promise<void>((resolve) => (isOpen = resolve))
  let goOn = (): void => undefined
  const mayEnd = new Promise<void>((resolve) => (goOn = resolve))
  const first = write(folder.at('a.txt'))(
    (async function* () {
      yield 'first'
      isOpen()
      await mayEnd
    })(),
  )
  await opened
  await write(folder.at('a.txt'))(['second'])
  goOn()
  await expect(first).rejects.toMatchObject({ code: 'ERR_OUTPUT_REPLACED' })
  expect(folder.read('a.txt')).toBe('second\n')
  expect(folder.files()).toEqual(['a.txt'])
})

describe('an error of the system', () => {
  it('names the path, and says what to do', async () => {
    writeFileSync(folder.at('file'), '')
    await expect(write(folder.path)(['x'])).rejects.toMatchObject({
      code: 'EISDIR',
      path: folder.path,
      message: expect.stringMatching(/a folder: name a file in it/) as string,
    })
    await expect(write(folder.at('file', 'a.txt'))(['x'])).rejects.toMatchObject({
      code: 'ENOTDIR',
      path: folder.at('file', 'a.txt'),
      message: expect.stringMatching(/a part of the path is a file, and not a folder/) as string,
    })
    expect(folder.files()).toEqual(['file'])
  })

  onLinux('says that the folder must be writable', async () => {
    await expect(write('/sys/a.txt')(['x'])).rejects.toMatchObject({
      code: 'EACCES',
      path: '/sys/a.txt',
      message: expect.stringMatching(/this user must be allowed to write in the folder '\/sys'/) as string,
    })
  })

  onLinux('says that the disk is full, and the source is closed', async () => {
    let isClosed = false
    const source = (function* () {
      try {
        for (;;) yield 'x'.repeat(1_000)
      } finally {
        isClosed = true
      }
    })()
    await expect(write('/dev/full')(source)).rejects.toMatchObject({
      code: 'ENOSPC',
      path: '/dev/full',
      message: expect.stringMatching(/\(in '\/dev\/full'\) \(no space is left there: free some/) as string,
    })
    expect(isClosed).toBe(true)
  })
})

const onUnix = process.platform === 'win32' ? it.skip : it

onUnix('a write that the system refuses in the middle leaves the old file, and no .part', () => {
  writeFileSync(folder.at('a.txt'), 'old')
  const program = fileURLToPath(new URL('../fixtures/programs/write-file.js', import.meta.url))
  // No file of the process may be larger than 2,000 blocks of 512 bytes, or of 1 KiB.
  const run = (count: number): string =>
    execFileSync(
      'sh',
      ['-c', 'ulimit -f 2000; exec "$0" "$@"', process.execPath, program, folder.at('a.txt'), `${count}`],
      {
        encoding: 'utf8',
      },
    )
  expect(run(50_000)).toBe('EFBIG true true\n')
  expect(folder.read('a.txt')).toBe('old')
  expect(folder.files()).toEqual(['a.txt'])
  expect(run(1_000)).toBe('1000\n')
  expect(statSync(folder.at('a.txt')).size).toBe(100_000)
})

it('a kill leaves the old file whole', async () => {
  writeFileSync(folder.at('a.txt'), 'old')
  const program = fileURLToPath(new URL('../fixtures/programs/write-without-end.js', import.meta.url))
  const child = spawn(process.execPath, [program, folder.at('a.txt')], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'close')
  expect(folder.read('a.txt')).toBe('old')
  expect(folder.files()).toEqual(['a.txt', 'a.txt.part'])
  await write(folder.at('a.txt'))(['new'])
  expect(folder.files()).toEqual(['a.txt'])
  rmSync(folder.at('a.txt'))
})
