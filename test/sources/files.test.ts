/** files(): paths by globs, listed when they are read; as a source of lines, and of a stage. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { files, imap, lines, MillraceError, pipe, type ByteSource, type FilesOptions } from 'millrace'
import { runNode } from '../support/programs.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-files-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const itOnUnix = process.platform === 'win32' ? it.skip : it
const BASENAME = { module: 'node:path', export: 'basename' }

let folders = 0
/** A new folder with files of these names; the content of each is its name. */
function folderOf(...names: readonly string[]): string {
  const root = join(folder, String(++folders))
  mkdirSync(root)
  for (const name of names) {
    mkdirSync(join(root, name, '..'), { recursive: true })
    writeFileSync(join(root, name), name.endsWith('.gz') ? gzipSync(name) : name)
  }
  return root
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const given: T[] = []
  for await (const value of source) given.push(value)
  return given
}

/** The paths that match, from the folder on. */
async function found(root: string, ...globs: readonly string[]): Promise<string[]> {
  const paths = await collect(
    files(
      globs.map((glob) => (glob.startsWith('!') ? `!${root}/${glob.slice(1)}` : `${root}/${glob}`)),
      { onNone: 'empty' },
    ),
  )
  return paths.map((path) => relative(root, path).replaceAll('\\', '/'))
}

describe('files() gives the paths that match', () => {
  const names = [
    'b.csv',
    'a.csv',
    'B.csv',
    '10.csv',
    '9.csv',
    'é.csv',
    '.dot.csv',
    'c.CSV',
    'sub/d.csv',
    'sub/x/e.csv',
    't.txt',
  ]
  let root: string
  beforeAll(() => {
    root = folderOf(...names)
  })

  it('sorted by code unit', async () => {
    expect(await found(root, '*.csv')).toEqual(['10.csv', '9.csv', 'B.csv', 'a.csv', 'b.csv', 'é.csv'])
  })

  it('by case, and with a dot at the start only if the glob has it', async () => {
    expect(await found(root, '*.CSV')).toEqual(['c.CSV'])
    expect(await found(root, '.*.csv')).toEqual(['.dot.csv'])
  })

  it('of folders below, by **', async () => {
    expect(await found(root, '**/[a-e].csv')).toEqual(['a.csv', 'b.csv', 'sub/d.csv', 'sub/x/e.csv'])
    expect(await found(root, 'sub/**')).toEqual(['sub/d.csv', 'sub/x/e.csv'])
  })

  it('of several globs, each once, without those of a glob behind !', async () => {
    expect(await found(root, '*.csv', '[ab].csv', 't.txt', '!{9,10}.csv')).toEqual([
      ...['B.csv', 'a.csv', 'b.csv', 't.txt', 'é.csv'],
    ])
  })

  it('without those that a glob behind ! matches in any folder', async () => {
    const expected = ['sub/d.csv', 't.txt']
    const give = async (...globs: string[]) => (await collect(files(globs))).map((path) => relative(root, path))
    expect(await give(`${root}/**/*.{csv,txt}`, '!**/[a-cé].csv', '!**/[B0-9]*.csv', '!**/x/**')).toEqual(expected)
    expect(
      await give(`${relative(process.cwd(), root)}/**/*.{csv,txt}`, '!**/[a-cé].csv', '!**/[B0-9]*.csv', '!**/x/**'),
    ).toEqual(expected)
  })

  it('and only files: a folder is not what is in it', async () => {
    expect(await found(root, 'sub')).toEqual([])
    expect(await found(root, '*')).not.toContain('sub')
  })

  it('from the working directory on, if the glob is not absolute; a file once, whichever way it was found', async () => {
    const program = `
      import { files } from ${JSON.stringify(import.meta.resolve('millrace'))}
      const paths = []
      for await (const path of files(['*.csv', './a.csv', 'sub/../sub/d.csv', '../${String(folders)}/B.csv', ${JSON.stringify(`${root}/t.txt`)}, ${JSON.stringify(`${root}/a.csv`)}])) paths.push(path)
      console.log(JSON.stringify(paths))`
    const code = `process.chdir(${JSON.stringify(root)});await import('data:text/javascript,' + encodeURIComponent(${JSON.stringify(program)}))`
    const { stdout, stderr } = await runNode(['--input-type=module', '--eval', code])
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual([
      ...[resolve(root, 't.txt'), '10.csv', '9.csv', 'B.csv', 'a.csv', 'b.csv', 'sub/d.csv', 'é.csv'],
    ])
  })
})

describe('files() with hostile names', () => {
  itOnUnix(
    'gives names with line ends, brackets, spaces and other signs as they are, and they can be read',
    async () => {
      const names = [
        ...[
          '\n',
          '\na',
          'a\nb',
          'a\n',
          '\r\n',
          '\u2028',
          'a\u2029b',
          '[',
          ']',
          '[a]',
          '{a,b}',
          '!a',
          '(a)',
          '+(a)',
          'a b',
          ' ',
        ],
        ...[
          '*',
          '?',
          '\\',
          'a\\b',
          "'",
          '"',
          '$HOME',
          '`ls`',
          '-rf',
          '~',
          '#',
          '%20',
          '&',
          ';',
          '|',
          '😀',
          'e\u0301',
          '\u00e9',
          '\ufffd',
          '\u0001',
        ],
      ]
      const root = folderOf(...names.flatMap((name) => [`${name}.csv`, `in ${name}/${name}.csv`]))
      const flat = names.map((name) => `${name}.csv`).sort()
      const deep = names.map((name) => `in ${name}/${name}.csv`)
      expect((await collect(files(`${root}/*.csv`))).map((path) => path.slice(root.length + 1))).toEqual(flat)
      const all = await collect(files(`${root}/**/*.csv`))
      expect(all).toEqual([...flat, ...deep].map((name) => `${root}/${name}`).sort())
      const expected = all.map((path) => path.slice(root.length + 1)).join('')
      expect((await collect(lines(files(`${root}/**/*.csv`), { delimiter: '\u0003' }))).join('')).toBe(expected)
    },
  )

  itOnUnix('takes a sign of globs literally behind a backslash, and a folder whose name has line ends', async () => {
    const root = folderOf('[a].csv', 'a.csv', 'x\ny/b.csv')
    expect(await found(root, '\\[a\\].csv')).toEqual(['[a].csv'])
    expect(await found(root, 'x\ny/*')).toEqual(['x\ny/b.csv'])
  })

  const itOnLinux = process.platform === 'linux' ? it : it.skip

  itOnLinux.each(['caf\xe9.csv', 'caf\xe9/a.csv'])('refuses a name that is not valid UTF-8: %j', async (name) => {
    const root = folderOf('good.csv')
    const path = Buffer.from(`${root}/${name}`, 'latin1')
    if (name.includes('/')) mkdirSync(path.subarray(0, path.lastIndexOf('/')))
    writeFileSync(path, 'a')
    const error: unknown = await found(root, '**/*.csv').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_SOURCE' })
    expect(String(error)).toContain('Cannot list files as their names must be valid UTF-8: received')
    expect(String(error)).toContain('caf\ufffd')
    expect(await found(root, 'good.csv')).toEqual(['good.csv'])
    expect(await found(root, '**/*.csv', '!caf*', '!caf*/**')).toEqual(['good.csv'])
  })

  itOnUnix(
    'follows links, does not go round in circles, and gives a link to nothing, which cannot be read',
    async () => {
      const root = folderOf('a.csv', 'sub/b.csv')
      symlinkSync(join(root, 'a.csv'), join(root, 'link.csv'))
      symlinkSync(join(root, 'sub'), join(root, 'linked'))
      symlinkSync(root, join(root, 'sub', 'up'))
      symlinkSync(join(root, 'missing'), join(root, 'broken.csv'))
      expect(await found(root, '*.csv')).toEqual(['a.csv', 'broken.csv', 'link.csv'])
      expect(await found(root, 'linked/*.csv')).toEqual(['linked/b.csv'])
      expect(await found(root, '**/b.csv')).toEqual(expect.arrayContaining(['linked/b.csv', 'sub/b.csv']))
      await expect(collect(lines(files(`${root}/*.csv`)))).rejects.toMatchObject({
        code: 'ENOENT',
        path: `${root}/broken.csv`,
      })
    },
  )

  const itWithRights = process.platform !== 'win32' && process.getuid?.() !== 0 ? it : it.skip
  itWithRights('throws the error of a folder that cannot be read', async () => {
    const root = folderOf('a.csv', 'secret/b.csv')
    chmodSync(join(root, 'secret'), 0)
    try {
      await expect(found(root, '**/*.csv')).rejects.toMatchObject({
        code: 'EACCES',
        path: expect.stringContaining('secret') as string,
      })
      expect(await found(root, '*.csv')).toEqual(['a.csv'])
    } finally {
      chmodSync(join(root, 'secret'), 0o700)
    }
  })
})

describe('files() without a match', () => {
  it('is an error when it is read, with a cure', async () => {
    const error: unknown = await collect(files('no-such/*.csv')).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(MillraceError)
    expect(error).toMatchObject({
      code: 'ERR_NO_FILES',
      message: `Cannot list files as at least one must match: received 'no-such/*.csv' (in the working directory ${process.cwd()}; to allow none: onNone: 'empty')`,
    })
    await expect(collect(files([`${folder}/x*`, `!${folder}/y`]))).rejects.toThrow(
      `received '${folder}/x*', '!${folder}/y' (to allow none: onNone: 'empty')`,
    )
    await expect(collect(files(folder))).rejects.toThrow(`'${folder}' is a folder: for its files, write '${folder}/*'`)
  })

  it('is nothing to read with onNone: empty', async () => {
    expect(await collect(files('no-such/*.csv', { onNone: 'empty' }))).toEqual([])
    expect(await collect(lines(files('no-such/*.csv', { onNone: 'empty' })))).toEqual([])
    expect(await collect(pipe(files('no-such/*.csv', { onNone: 'empty' }), imap(BASENAME)))).toEqual([])
  })

  it('is the error of the source that reads it, at its turn, after the lines before it', async () => {
    const root = folderOf('a.txt')
    const given: string[] = []
    const source = lines([`${root}/a.txt`, files(`${root}/*.csv`), `${root}/missing`])
    await expect(
      (async () => {
        for await (const line of source) given.push(line)
      })(),
    ).rejects.toMatchObject({ code: 'ERR_NO_FILES', message: expect.not.stringContaining('(in ') as string })
    expect(given).toEqual(['a.txt'])
    await expect(collect(pipe(files(`${root}/*.csv`), imap(BASENAME)))).rejects.toMatchObject({ code: 'ERR_NO_FILES' })
  })
})

describe('files() reads nothing before it is asked', () => {
  it('by a loop, lines() or a stage, and lists anew in each loop', async () => {
    const root = folderOf()
    const list = files(`${root}/*.log`)
    const reading = [lines(list), lines([list])]
    const streams = [
      pipe(list, imap(BASENAME)),
      pipe(
        list,
        imap((path: string) => path, { workers: 0 }),
      ),
    ]
    writeFileSync(join(root, 'late.log'), 'one\n')
    expect(await Promise.all(reading.map(collect))).toEqual([['one'], ['one']])
    expect(await collect(streams[0] as AsyncIterable<unknown>)).toEqual(['late.log'])
    expect(await collect(streams[1] as AsyncIterable<unknown>)).toEqual([`${root}/late.log`])
    writeFileSync(join(root, 'later.log'), 'two\n')
    expect(await collect(list)).toEqual([`${root}/late.log`, `${root}/later.log`])
  })

  it('and a list behind others is read at its turn', async () => {
    const root = folderOf('a.log')
    const reading = lines([`${root}/a.log`, files(`${root}/b/*.log`)])
    expect((await reading.next()).value).toBe('a.log')
    mkdirSync(join(root, 'b'))
    writeFileSync(join(root, 'b', 'b.log'), 'b')
    expect((await reading.next()).value).toBe('b')
  })

  it('and can be left before, and while it lists', async () => {
    const root = folderOf('a.log', 'b.log')
    const unread = lines(files(`${root}/*.log`))
    await unread.return()
    expect(await unread.next()).toEqual({ done: true, value: undefined })
    const reading = lines(files(`${root}/*.log`))
    const pending = reading.next()
    await reading.return()
    expect(await pending).toEqual({ done: true, value: undefined })
    for await (const path of files(`${root}/*.log`)) {
      expect(path).toBe(`${root}/a.log`)
      break
    }
  })

  it('and is not part of what an import loads', async () => {
    const program = `
      import Module from 'node:module'
      import { files } from ${JSON.stringify(import.meta.resolve('millrace'))}
      files('*')
      const loaded = () => Object.keys(Module._cache).some((path) => path.includes('tinyglobby'))
      const before = loaded()
      for await (const path of files('*', { onNone: 'empty' }));
      console.log(before, loaded())`
    expect(await runNode(['--input-type=module', '--eval', program])).toMatchObject({
      stdout: 'false true\n',
      stderr: '',
    })
  })
})

describe('files() as a source', () => {
  it('gives the lines of the files in order, compressed ones too', async () => {
    const root = folderOf('1.log.gz', '2.log', '3.log.gz', '4.log.gz', '5.log.gz', '6.log')
    const expected = ['1.log.gz', '2.log', '3.log.gz', '4.log.gz', '5.log.gz', '6.log']
    expect(await collect(lines(files(`${root}/*`)))).toEqual(expected)
    expect(await collect(lines([files(`${root}/1*`), `${root}/2.log`, files(`${root}/[3-6]*`)]))).toEqual(expected)
    expect(await collect(pipe(lines(files(`${root}/*`)), imap(BASENAME)))).toEqual(expected)
  })

  it('names the file of an error', async () => {
    const root = folderOf('1.log', '2.log')
    writeFileSync(join(root, '2.log'), 'PK\x03\x04')
    await expect(collect(lines(files(`${root}/*.log`)))).rejects.toMatchObject({
      code: 'ERR_INPUT_FORMAT',
      path: `${root}/2.log`,
    })
  })

  it('gives paths to a stage with workers, in the window', async () => {
    const names = Array.from({ length: 300 }, (_, n) => `${String(n).padStart(3, '0')}.bin`)
    const root = folderOf(...names)
    expect(await collect(pipe(files(`${root}/*.bin`), imap(BASENAME, { window: 10 })))).toEqual(names)
    const left = pipe(files(`${root}/*.bin`), imap(BASENAME))
    for await (const name of left) {
      expect(name).toBe('000.bin')
      break
    }
  })

  it('is shown with its globs', () => {
    expect(inspect(files(['a/*', '!a/b']))).toBe("Files { globs: [ 'a/*', '!a/b' ] }")
    expect(inspect(lines([files(['a/*', '!a/b']), 'c']))).toBe(
      "Lines { sources: [ 'a/* !a/b', 'c' ], state: 'not started' }",
    )
  })
})

describe('files() refuses at the call', () => {
  it.each([
    ['', "Cannot list files as each glob must be a string, not empty: received ''"],
    [[''], "Cannot list files as each glob must be a string, not empty: received ''"],
    [['a', 7], 'Cannot list files as each glob must be a string, not empty: received 7'],
    [undefined, 'received undefined'],
    [['a', , 'b'], 'received undefined'],
    ['a\0b', "received 'a\\x00b'"],
    [[], 'Cannot list files as the globs must have one without ! before it: received []'],
    ['!a', "must have one without ! before it: received '!a'"],
  ])('globs: %j', (globs, message) => {
    const call = () => files(globs as string)
    expect(call).toThrow(TypeError)
    expect(call).toThrow(message)
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENTS' }) as Error)
  })

  it.each([
    [{ onNone: 'skip' }, "Cannot list files as 'onNone' must be 'error' or 'empty': received 'skip'"],
    [{ sort: true }, "Cannot list files as it has no option 'sort': the options are onNone"],
  ])('options: %j', (options, message) => {
    expect(() => files('*', options as FilesOptions)).toThrow(message)
  })

  it('and lines() tells it from an iterable of strings', async () => {
    const paths = {
      async *[Symbol.asyncIterator]() {
        yield 'a.log'
      },
    }
    await expect(collect(lines(paths as unknown as ByteSource))).rejects.toThrow('an array of paths, or files()')
  })
})

itOnUnix('files() of a named pipe gives nothing: only regular files match', async () => {
  const root = folderOf('a.csv')
  execFileSync('mkfifo', [join(root, 'b.csv')])
  expect(await found(root, '*.csv')).toEqual(['a.csv'])
})
