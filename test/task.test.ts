/** Naming a task, and how a worker finds it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { threadId, type Worker } from 'node:worker_threads'
import {
  imap,
  imapUnordered,
  Pool,
  task,
  TaskLoadError,
  tasks,
  type Outcome,
  type Task,
  type TaskLike,
  type TaskReference,
} from 'millrace'
import { unreachable } from './fixtures/contract-b-broken.js'
import { hidden } from './fixtures/contract-b-guarded.js'
import { stuck } from './fixtures/contract-b-stuck.js'
import { double } from './fixtures/contract-b-tasks.js'
import { collect, numbers, rejection } from './fixtures/contract-b-ways.js'
import { runNode } from './support/programs.js'

const require = createRequire(import.meta.url)
const pool = new Pool({ workers: 2 })
afterAll(() => pool.terminate())

// Users without types can pass values that the types exclude.
type Loose = (...args: unknown[]) => unknown
const looseTask = task as unknown as Loose

function fixture(name: string): URL {
  return new URL(`./fixtures/${name}`, import.meta.url)
}

/** The class and code of an error of `task()`, and the parts of its message, in this order. */
function refusal(...parts: string[]): Error {
  const text = parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')
  const message: unknown = expect.stringMatching(new RegExp(text, 's'))
  return expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_TASK', message }) as Error
}

describe('task()', () => {
  it('returns the function itself, still callable', () => {
    function add(x: number): number {
      return x + 1
    }
    const named = task(import.meta.url, add)
    expect(named).toBe(add)
    expect(named(1)).toBe(2)
    expect(Object.keys(named)).toEqual([])
  })

  it('names a task by the function, or by an explicit id', () => {
    const url = 'file:///naming.js'
    task(url, function byName() {
      return 0
    })
    task(url, 'by id', () => undefined)
    expect(() =>
      task(url, function byName() {
        return 0
      }),
    ).toThrow(refusal("'byName' is defined twice", url))
    expect(() => task(url, 'by id', () => undefined)).toThrow(refusal("'by id' is defined twice", url))
    expect(() => task(url, 'byName', () => undefined)).toThrow(refusal("'byName' is defined twice"))
  })

  it('takes the same id in two modules', () => {
    task('file:///one.js', 'same', () => undefined)
    expect(() => task('file:///two.js', 'same', () => undefined)).not.toThrow()
  })

  it('takes a module as file: URL text, as URL, or as absolute path, and knows them to be the same', () => {
    const path = fileURLToPath(import.meta.url)
    task(path, 'same module', () => undefined)
    for (const module of [pathToFileURL(path), pathToFileURL(path).href]) {
      expect(() => task(module, 'same module', () => undefined)).toThrow(refusal('is defined twice'))
    }
  })

  it('refuses a function without a name, and says what to write', () => {
    expect(() => task(import.meta.url, () => undefined)).toThrow(
      refusal('no name', 'an id', 'import.meta.url', 'minifier'),
    )
    expect(() => task(import.meta.url, '', () => undefined)).toThrow(refusal('no name'))
    expect(() =>
      task(import.meta.url, function () {
        return 0
      }),
    ).toThrow(refusal('no name'))
  })

  it('refuses a function that is a task already', () => {
    const once = task(import.meta.url, 'once', () => undefined)
    expect(() => task(import.meta.url, 'twice', once)).toThrow(refusal("already is the task 'once'"))
  })

  it('says that the module is missing, for every other first argument', () => {
    for (const given of [[(x: unknown) => x], ['id', (x: unknown) => x], [{ id: () => 1 }]]) {
      expect(() => looseTask(...given)).toThrow(refusal('its module must be import.meta.url', 'received'))
    }
  })

  it('refuses a value that is not a function', () => {
    for (const fn of [undefined, null, 5, {}]) {
      expect(() => looseTask(import.meta.url, fn)).toThrow(refusal('must be a function'))
      expect(() => looseTask(import.meta.url, 'id', fn)).toThrow(refusal('must be a function'))
    }
  })

  it('refuses a value that is not a module', () => {
    for (const [module, text] of [
      [undefined, 'undefined'],
      [null, 'null'],
      [5, '5'],
      ['', "''"],
      ['./tasks.js', "'./tasks.js'"],
      ['tasks.js', "'tasks.js'"],
      ['https://example.com/tasks.js', "'https://example.com/tasks.js'"],
      [{ url: import.meta.url }, 'url:'],
    ] as const) {
      expect(() =>
        looseTask(module, function named() {
          return 0
        }),
      ).toThrow(refusal('import.meta.url', '__filename in CommonJS', `received ${text === 'url:' ? '' : text}`))
    }
  })

  it('says what to pass instead of a wrong module', () => {
    for (const [module, cure] of [
      [import.meta, '(pass its .url)'],
      [{ url: import.meta.url, dirname: '/' }, '(pass its .url)'],
      [dirname(fileURLToPath(import.meta.url)), '(a folder: pass import.meta.url, the URL of the file)'],
      [new URL('.', import.meta.url), '(a folder: pass import.meta.url, the URL of the file)'],
      ['./tasks.js', "(a file beside this one: new URL('./tasks.js', import.meta.url))"],
      ['../tasks.ts', "(a file beside this one: new URL('../tasks.ts', import.meta.url))"],
      ['tasks.mjs', "(a file beside this one: new URL('./tasks.mjs', import.meta.url))"],
      ['zlib', "(a module of Node: 'node:zlib')"],
      ['@scope/tasks/deep', "(a package: import.meta.resolve('@scope/tasks/deep'))"],
    ] as const) {
      const refused = refusal('its module must be import.meta.url', cure)
      expect(() => looseTask(module, 'named', () => 0)).toThrow(refused)
      expect(() => looseTask(module, () => 0)).toThrow(refused)
      expect(() => (tasks as unknown as Loose)(module, { named: () => 0 })).toThrow(refused)
      const reference = refusal("its task's module must be import.meta.url", cure)
      expect(() => (imap as unknown as Loose)({ module, export: 'named' }, [1])).toThrow(reference)
    }
  })

  it('can be called as an ordinary function by the program, and by a stage on this thread', async () => {
    expect(double(4)).toBe(8)
    expect(await collect(imap(double, [1, 2], { workers: 0 }))).toEqual([2, 4])
  })
})

describe('tasks()', () => {
  it('names functions by their keys, not by their own names', async () => {
    function original(): number {
      return 1
    }
    const made = tasks('file:///several.js', { first: original, second: () => 2, 'a third': () => 3 })
    expect(Object.keys(made)).toEqual(['first', 'second', 'a third'])
    expect(made.first).toBe(original)
    expect([made.first(), made.second(), made['a third']()]).toEqual([1, 2, 3])
    for (const id of ['first', 'second', 'a third']) {
      expect(() => task('file:///several.js', id, () => undefined)).toThrow(refusal(`'${id}' is defined twice`))
    }
    expect(() => task('file:///several.js', original)).toThrow(refusal("already is the task 'first'"))
    expect(await collect(imap(made.second, [0], { workers: 0 }))).toEqual([2])
  })

  it('refuses an empty key, and values that are not functions', () => {
    expect(() => tasks('file:///more.js', { '': () => undefined })).toThrow(refusal('no name'))
    expect(() => (tasks as unknown as Loose)('file:///more.js', { five: 5 })).toThrow(refusal('must be a function'))
  })
})

describe('code from the command line', () => {
  const BODY = 'try { task(MODULE, function f () {}) } catch (e) { console.log(e.code, e.message) }'
  const ESM = `import { task } from 'millrace'; ${BODY.replace('MODULE', 'import.meta.url')}`
  const CJS = `const { task } = require('millrace'); ${BODY.replace('MODULE', '__filename')}`
  const WAYS: readonly (readonly [title: string, args: readonly string[], input?: string])[] = [
    ['--eval of a module', ['--input-type=module', '--eval', ESM]],
    ['--eval of CommonJS', ['--disable-warning=ExperimentalWarning', '--eval', CJS]],
    ['a module from standard input', ['--input-type=module', '-'], ESM],
    ['CommonJS from standard input', ['--disable-warning=ExperimentalWarning', '-'], CJS],
  ]
  for (const [title, args, input] of WAYS) {
    it(`is refused, as no worker could import it: ${title}`, async () => {
      const ending = await runNode(args, input === undefined ? {} : { input })
      expect(ending).toMatchObject({ code: 0, stderr: '' })
      expect(ending.stdout).toMatch(/^ERR_INVALID_TASK .*(put it in a file|received '\[(eval|stdin)\]')/)
    })
  }

  it('is refused in a way that says what to do: --eval of CommonJS', async () => {
    const ending = await runNode(['--disable-warning=ExperimentalWarning', '--eval', CJS])
    expect(ending.stdout).toMatch('put it in a file')
  })
})

describe('a plain function where threads are to run it', () => {
  const verbs: readonly (readonly [name: string, verb: Loose])[] = [
    ['imap', imap as unknown as Loose],
    ['imapUnordered', imapUnordered as unknown as Loose],
    ['pool.imap', pool.imap as unknown as Loose],
    ['pool.imapUnordered', pool.imapUnordered as unknown as Loose],
  ]
  const functions: readonly (readonly [title: string, fn: unknown])[] = [
    [
      'a named function',
      function plain() {
        return 0
      },
    ],
    ['a closure', () => undefined],
    ['an async function', async () => Promise.resolve()],
    ['a bound task', double.bind(null)],
    [
      'a class',
      class Plain {
        readonly x = 5
      },
    ],
    ['a built-in', Math.sqrt],
  ]
  for (const [name, verb] of verbs) {
    it(`is a TypeError of ${name}() that says what to write instead`, () => {
      for (const [, fn] of functions) {
        const error = refusal('plain function', 'task(import.meta.url', 'workers: 0')
        expect(() => verb(fn)).toThrow(error)
        expect(() => verb(fn, [1])).toThrow(error)
        expect(() => verb(fn, [1], { window: 5 })).toThrow(error)
      }
    })
  }
})

describe('{ module, export }', () => {
  type Plain = typeof import('./fixtures/contract-b-plain.js')

  it('runs a function of a module that does not use this library, in a worker', async () => {
    const triple: TaskReference<Plain, 'triple'> = { module: fixture('contract-b-plain.js'), export: 'triple' }
    const where: TaskReference<Plain, 'where'> = { module: fixture('contract-b-plain.js').href, export: 'where' }
    expect(await collect(pool.imap(triple, [1, 2, 3]))).toEqual([3, 6, 9])
    const threads = new Set(await collect(pool.imap(where as TaskLike<number, number>, numbers(20))))
    expect(threads.has(threadId)).toBe(false)
  })

  it('takes the module as URL, as text or as path, and the default export by its name', async () => {
    const url = fixture('contract-b-plain.js')
    for (const module of [url, url.href, fileURLToPath(url)]) {
      const reversed: TaskReference<Plain, 'default'> = { module, export: 'default' }
      expect(await collect(pool.imap(reversed, ['abc']))).toEqual(['cba'])
    }
  })

  it('runs functions of Node', async () => {
    const { gzipSync } = await import('node:zlib')
    const gunzip: TaskReference<typeof import('node:zlib'), 'gunzipSync'> = {
      module: 'node:zlib',
      export: 'gunzipSync',
    }
    const [bytes] = await collect(pool.imap(gunzip, [gzipSync('text')]))
    expect(Buffer.from(bytes ?? []).toString()).toBe('text')
    const resolve = { module: 'node:dns/promises', export: 'lookup' } as TaskLike<string, { address: string }>
    const [outcome] = await collect(pool.imap(resolve, ['127.0.0.1'], { errors: 'settle' }))
    expect(outcome).toMatchObject({ status: 'fulfilled', value: { address: '127.0.0.1' } })
  })

  it('gives the function the item alone: a second argument would mean something to it', async () => {
    const basename: TaskReference<typeof import('node:path'), 'basename'> = { module: 'node:path', export: 'basename' }
    expect(await collect(pool.imap(basename, ['/a/b.txt', '/c/d']))).toEqual(['b.txt', 'd'])
    expect(await collect(imap(basename, ['/a/b.txt'], { workers: 0 }))).toEqual(['b.txt'])
  })

  it('finds the exports of a CommonJS module, also if Node does not detect the name', async () => {
    const module = fixture('contract-b-commonjs.cjs')
    for (const [name, result] of [
      ['whisper', 'abc'],
      ['shout', 'ABC'],
    ] as const) {
      const reference: TaskLike<string, string> = { module, export: name }
      expect(await collect(pool.imap(reference, ['aBc']))).toEqual([result])
    }
  })

  it('works on this thread too', async () => {
    const triple: TaskLike<number, number> = { module: fixture('contract-b-plain.js'), export: 'triple' }
    expect(await collect(imap(triple, [1, 2, 3], { workers: 0 }))).toEqual([3, 6, 9])
  })

  it('is another task than the one with the same name: export and id are distinguished', async () => {
    const exported: TaskLike<number, number> = { module: fixture('contract-b-tasks.js'), export: 'double' }
    const streams = [pool.imap(exported, [1, 2]), pool.imap(double, [1, 2])]
    expect(await Promise.all(streams.map((stream) => collect(stream)))).toEqual([
      [2, 4],
      [2, 4],
    ])
  })
})

describe('CommonJS', () => {
  it('a task named by __filename is found by workers', async () => {
    const { shout } = require('./fixtures/contract-b-commonjs.cjs') as { shout: Task<string, string> }
    expect(shout('direct', {} as never)).toBe('DIRECT')
    expect(await collect(pool.imap(shout, ['one', 'two']))).toEqual(['ONE', 'TWO'])
  })
})

if (hidden === undefined) throw new Error('The fixture defines its task on the main thread')

/** A task that workers cannot run: the text of its error, and its cause. */
const UNUSABLE: readonly (readonly [title: string, task: TaskLike<number, unknown>, says: RegExp, cause?: object])[] = [
  [
    'whose module throws',
    unreachable,
    /'unreachable'.*contract-b-broken\.js.*no database here/,
    { name: 'RangeError', message: 'no database here', code: 'E_DATABASE' },
  ],
  [
    'whose module is not there',
    { module: fixture('none.js'), export: 'x' },
    /'x'.*fixtures\/none\.js.*Cannot find module/,
    { code: 'ERR_MODULE_NOT_FOUND' },
  ],
  [
    'whose module is no JavaScript',
    { module: fixture('none.js').href.replace(/fixtures.*/, 'task.test.js.map'), export: 'x' },
    /'x'.*task\.test\.js\.map/,
  ],
  [
    'whose module of Node is not there',
    { module: 'node:none', export: 'x' },
    /'x'.*node:none.*No such built-in module/,
  ],
  [
    'that its module does not export',
    { module: fixture('contract-b-plain.js'), export: 'quadruple' },
    /contract-b-plain\.js.*no function exported as 'quadruple'/,
  ],
  [
    'that its module exports as something else',
    { module: fixture('contract-b-plain.js'), export: 'constant' },
    /contract-b-plain\.js.*no function exported as 'constant'/,
  ],
  [
    'that a CommonJS module exports as something else',
    { module: fixture('contract-b-commonjs.cjs'), export: 'notAFunction' },
    /contract-b-commonjs\.cjs.*no function exported as 'notAFunction'/,
  ],
  [
    'that is an inherited property of its module',
    { module: fixture('contract-b-commonjs.cjs'), export: 'hasOwnProperty' },
    /contract-b-commonjs\.cjs.*no function exported as 'hasOwnProperty'/,
  ],
  [
    'that is defined behind the guard alone',
    hidden,
    /contract-b-guarded\.js.*no task 'hidden'.*top level.*isMainThread.*minifier/,
  ],
]

describe('a task', () => {
  for (const [title, unusable, says, cause] of UNUSABLE) {
    for (const chunksize of [1, 7, 'auto'] as const) {
      it(`${title} fails every item with one clear error, and its worker lives on (chunksize ${chunksize})`, async () => {
        await collect(pool.imap(double, numbers(4), { chunksize: 1 }))
        const started: Worker[] = []
        const note = (worker: Worker): void => {
          started.push(worker)
        }
        process.on('worker', note)
        try {
          const outcomes: Outcome<number, unknown>[] = await collect(
            pool.imap(unusable, numbers(20), { chunksize, errors: 'settle', window: 20 }),
          )
          expect(outcomes.map(({ status, index }) => [status, index])).toEqual(numbers(20).map((n) => ['rejected', n]))
          for (const outcome of outcomes) {
            const reason = outcome.status === 'rejected' ? outcome.reason : undefined
            expect(reason).toBeInstanceOf(TaskLoadError)
            expect(reason).toMatchObject({
              code: 'ERR_TASK_LOAD',
              name: 'TaskLoadError',
              message: expect.stringMatching(says) as unknown,
            })
            if (cause !== undefined) expect((reason as Error).cause).toMatchObject(cause)
          }
          const error = await rejection(collect(pool.imap(unusable, numbers(20), { chunksize, window: 20 })))
          expect(error).toBeInstanceOf(TaskLoadError)
          expect(await collect(pool.imap(unusable, numbers(20), { chunksize, window: 20, errors: 'skip' }))).toEqual([])
          expect(await collect(pool.imap(double, numbers(20), { chunksize, window: 20 }))).toHaveLength(20)
          expect(started).toEqual([])
          // As many as had work.
          const { ready, crashes } = pool.stats()
          expect(ready).toBeGreaterThanOrEqual(1)
          expect(ready).toBeLessThanOrEqual(2)
          expect(crashes).toBe(0)
        } finally {
          process.off('worker', note)
        }
      })
    }
  }

  it('whose module never ends its import can be left, and the pool stays usable', async () => {
    const stream = pool.imap(stuck, numbers(3))
    const pending = stream.next()
    await new Promise(setImmediate)
    await stream.return()
    expect(await pending).toEqual({ done: true, value: undefined })
    expect(await collect(pool.imap(double, numbers(20), { chunksize: 1 }))).toHaveLength(20)
  })

  for (const unordered of [false, true]) {
    it(`that cannot be loaded fails on this thread in the same way (${unordered ? 'unordered' : 'ordered'})`, async () => {
      const verb = unordered ? imapUnordered : imap
      const missing: TaskLike<number, unknown> = { module: fixture('contract-b-plain.js'), export: 'quadruple' }
      const outcomes = await collect(verb(missing, [1, 2], { workers: 0, errors: 'settle' }))
      expect(outcomes).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
      expect(await rejection(collect(verb(missing, [1, 2], { workers: 0 })))).toBeInstanceOf(TaskLoadError)
    })
  }
})

describe('the module of a task', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-modules-'))
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  function write(name: string, text: string): string {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    return path
  }

  it('may be CommonJS whose exports Node does not see as names', async () => {
    const library = write(
      'library.cjs',
      `const library = () => 'called'
      Object.assign(library, { chunk: (n) => 'chunk ' + n })
      module.exports = library`,
    )
    expect(await pool.map({ module: library, export: 'chunk' } as TaskLike<number, string>, [1])).toEqual(['chunk 1'])
    expect(await pool.map({ module: library, export: 'default' } as TaskLike<number, string>, [1])).toEqual(['called'])
  })

  it('may be compiled TypeScript: its default export is `exports.default`', async () => {
    const compiled = write(
      'compiled.cjs',
      `Object.defineProperty(exports, '__esModule', { value: true })
      exports.default = (n) => 'default ' + n`,
    )
    const reference = { module: compiled, export: 'default' } as TaskLike<number, string>
    expect(await pool.map(reference, [1])).toEqual(['default 1'])
    expect(await collect(imap(reference, [2], { chunksize: 1 }))).toEqual(['default 2'])
  })

  it('may be CommonJS in a folder with a backslash in its name', async () => {
    const path = write(
      'back\\slash/tasks.cjs',
      `const { task } = require(${JSON.stringify(require.resolve('millrace/task'))})
      exports.twice = task(__filename, 'twice', (n) => 2 * n)`,
    )
    const { twice } = require(path) as { twice: Task<number, number> }
    expect(await pool.map(twice, [1, 2])).toEqual([2, 4])
  })

  it('is compiled by a CommonJS hook that the program has, and runs once', async () => {
    const hook = write(
      'hook.cjs',
      `require.extensions['.tsx'] = (module, file) => {
        module._compile(require('node:fs').readFileSync(file, 'utf8').replaceAll(': number', ''), file)
      }`,
    )
    const tasks = write(
      'tasks.tsx',
      `const { task } = require(${JSON.stringify(require.resolve('millrace/task'))})
      globalThis.runs = (globalThis.runs ?? 0) + 1
      exports.runs = task(__filename, 'runs', (n: number) => [n, globalThis.runs])`,
    )
    await using hooked = new Pool({ workers: 1, execArgv: ['--require', hook] })
    const runs = task(tasks, 'runs', (): unknown => undefined)
    expect(await hooked.map(runs, [1])).toEqual([[1, 1]])
  })

  it('is not there: the error says what a bundler may have done', async () => {
    const gone = pathToFileURL(join(folder, 'gone.mjs')).href
    const error = await rejection(
      pool.map(
        task(gone, 'none', (): unknown => undefined),
        [1],
      ),
    )
    expect(error).toBeInstanceOf(TaskLoadError)
    expect((error as Error).message).toMatch(/There is no such file: if a bundler .*importMeta: false/)
  })

  it('is TypeScript that Node does not run: the error says how to start the program', async () => {
    const tasks = write('plain.tsx', 'export {}')
    const error = await rejection(
      pool.map(
        task(tasks, 'none', (): unknown => undefined),
        [1],
      ),
    )
    expect(error).toBeInstanceOf(TaskLoadError)
    expect((error as Error).message).toMatch(
      /start the program with node --import .*node -r ts-node\/register.*execArgv/,
    )
    expect((error as Error).cause).toMatchObject({ code: 'ERR_UNKNOWN_FILE_EXTENSION' })
  })
})
