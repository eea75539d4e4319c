// @ts-check
/** The programs that every toolchain runs: two files, as in the README, in the forms that the tools take. */

/** What each of them prints. */
export const PRINTED = 'errors 2 of 3'

/** @typedef {Record<string, string>} Files by their names */

/**
 * A module of tasks, and a program that counts lines.
 *
 * @param {object} options
 * @param {'ts' | 'mts' | 'cts' | 'js' | 'mjs' | 'cjs'} options.extension of both files
 * @param {'import' | 'require'} [options.form] default: `import`
 * @param {string} [options.module] what names the module of the tasks; default: as the form has it
 * @param {string} [options.tasks] how the program names the file of the tasks; default: as it is
 * @param {'commonjs' | 'module'} [options.type] of the package; default: none
 * @returns {Files}
 */
export function program({ extension, form = 'import', module, tasks = `./tasks.${extension}`, type }) {
  const isTyped = extension.endsWith('ts')
  const line = isTyped ? 'line: string' : 'line'
  const name = module ?? (form === 'import' ? 'import.meta.url' : '__filename')
  const body = `${name}, 'level', (${line}) => line.split(' ')[1] ?? ''`
  return {
    'package.json': JSON.stringify({ private: true, ...(type && { type }) }),
    [`tasks.${extension}`]:
      form === 'import'
        ? `import { task } from 'millrace/task'\n\nexport const level = task(${body})\n`
        : `const { task } = require('millrace/task')\n\nexports.level = task(${body})\n`,
    [`main.${extension}`]: `${
      form === 'import'
        ? `import { imap, lines, pipe } from 'millrace'\nimport { level } from '${tasks}'`
        : `const { imap, lines, pipe } = require('millrace')\nconst { level } = require('${tasks}')`
    }

async function main() {
  let [all, errors] = [0, 0]
  const bytes = [Buffer.from('a ERROR\\nb INFO\\nc ERROR\\n')]
  for await (const found of pipe(lines(bytes), imap(level))) {
    all++
    if (found === 'ERROR') errors++
  }
  console.log(\`errors \${errors} of \${all}\`)
}

void main()
`,
  }
}

/** The same in one file, guarded: what is left when a bundler has joined the two. @param {'ts' | 'mjs'} extension @returns {Files} */
export function singleFile(extension) {
  const line = extension === 'ts' ? 'line: string' : 'line'
  return {
    'package.json': JSON.stringify({ private: true }),
    [`app.${extension}`]: `import { imap, isMainThread, lines, pipe, task } from 'millrace'

export const level = task(import.meta.url, 'level', (${line}) => line.split(' ')[1] ?? '')

async function main() {
  let [all, errors] = [0, 0]
  for await (const found of pipe(lines([Buffer.from('a ERROR\\nb INFO\\nc ERROR\\n')]), imap(level))) {
    all++
    if (found === 'ERROR') errors++
  }
  console.log(\`errors \${errors} of \${all}\`)
}

if (isMainThread) void main()
`,
  }
}

/**
 * Tests for a runner: values, errors of tasks with their classes, shared memory and pools, in whatever realm the runner makes.
 *
 * @param {object} options
 * @param {'import' | 'require'} options.form @param {string} options.file name of the test @param {string} options.tasks
 * @param {string} [options.head] what it has in front
 * @param {string} [options.extension] of the module of tasks
 * @param {'commonjs' | 'module'} [options.type] @param {string} [options.module]
 * @returns {Files}
 */
export function runnerTests({ form, file, tasks, head = '', extension = 'js', type, module }) {
  const names =
    '{ imap, map, filter, flatMap, lines, pipe, apply, failure, Pool, Value, Queue, TaskLoadError, NotSerializableError }'
  const take = (/** @type {string} */ what, /** @type {string} */ from) =>
    form === 'import' ? `import ${what} from '${from}'` : `const ${what} = require('${from}')`
  const name = module ?? (form === 'import' ? 'import.meta.url' : '__filename')
  const isTyped = extension.endsWith('ts')
  const any = isTyped ? ': any' : ''
  return {
    'package.json': JSON.stringify({ private: true, ...(type && { type }) }),
    [`tasks.${extension}`]: `${take('{ tasks }', 'millrace/task')}

const all = tasks(${name}, {
  square: (x${any}) => x * x,
  same: (x${any}) => x,
  fail: (x${any}) => { throw Object.assign(new TypeError('no ' + x), { code: 'E_NO' }) },
  add: (value${any}) => value.atomicAdd(1),
  put: async (queue${any}) => { await queue.put('there') },
  rich: () => ({ map: new Map([['a', new Set([1])]]), error: new RangeError('r'), date: new Date(0), bytes: new Uint8Array([1, 2]) }),
})
${form === 'import' ? `export const { square, same, fail, add, put, rich } = all` : 'Object.assign(exports, all)'}
`,
    [file]: `${head}${take(names, 'millrace')}
${take('{ square, same, fail, add, put, rich }', tasks)}

async function all(source${any}) {
  const values${isTyped ? ': any[]' : ''} = []
  for await (const value of source) values.push(value)
  return values
}

async function caught(run${any})${isTyped ? ': Promise<any>' : ''} {
  try { await run() } catch (error) { return error }
  throw new Error('nothing was thrown')
}

test('a stream gives its results', async () => {
  expect(await all(imap(square, [1, 2, 3]))).toEqual([1, 4, 9])
  expect(await all(pipe([1, 2, 3], imap(square), imap(square)))).toEqual([1, 16, 81])
  expect(await all(imap((x${any}) => x + 1, [1, 2], { workers: 0 }))).toEqual([2, 3])
  expect(await map(square, [3])).toEqual([9])
  expect(await apply(square, [4])).toBe(16)
  expect(await all(imap({ module: 'node:path', export: 'basename' }, ['/a/b']))).toEqual(['b'])
  expect(await all(imap({ module: 'node:path', export: 'basename' }, ['/a/b'], { workers: 0 }))).toEqual(['b'])
})

test('a pool gives its results, and closes', async () => {
  const pool = new Pool({ workers: 1 })
  expect(await all(pool.imap(square, [5]))).toEqual([25])
  await pool.close()
  expect((await caught(() => all(pool.imap(square, [1])))).code).toBe('ERR_POOL_CLOSED')
})

test('values arrive as they are', async () => {
  const items = [{ a: [1, 'two', null, new Date(5)], b: new Map([['k', new Set([1n])]]), c: new Uint8Array([1, 2]), d: new TypeError('t') }]
  expect(await all(imap(same, items))).toEqual(items)
  const [{ map: m, error, date, bytes }] = await all(imap(rich, [0]))
  expect([...m.get('a')]).toEqual([1])
  expect([error.name, error.message, date.getTime(), [...bytes]]).toEqual(['RangeError', 'r', 0, [1, 2]])
  const many = Array.from({ length: 200 }, (_, n) => ({ n, text: 'line ' + n }))
  expect(await all(imap(same, many))).toEqual(many)
})

test('errors of tasks arrive with all that they have', async () => {
  const error = await caught(() => all(imap(fail, ['item'])))
  expect([error.name, error.message, error.code]).toEqual(['TypeError', 'no item', 'E_NO'])
  expect(failure(error)).toMatchObject({ index: 0, task: 'fail' })
  expect(() => { throw error }).toThrow('no item')
})

test('errors of the library are instances of their classes', async () => {
  const missing = await caught(() => all(imap({ module: 'node:path', export: 'nope' }${isTyped ? ' as any' : ''}, [1])))
  expect([missing instanceof TaskLoadError, missing.code]).toEqual([true, 'ERR_TASK_LOAD'])
  const refused = await caught(() => all(imap(same, [() => 1])))
  expect([refused instanceof NotSerializableError, refused.code]).toEqual([true, 'ERR_NOT_SERIALIZABLE'])
  expect((await caught(() => imap(square, [1], { concurency: 2 }${isTyped ? ' as any' : ''}))).code).toBe('ERR_INVALID_OPTION')
})

test('lines() splits bytes, and takes a URL', async () => {
  expect(await all(lines([Buffer.from('a\\nb')]))).toEqual(['a', 'b'])
  expect(await all(pipe(lines([new Uint8Array([97, 10, 98])]), imap(same)))).toEqual(['a', 'b'])
  expect((await all(lines(new URL('file://' + process.cwd() + '/package.json')))).length).toBeGreaterThan(0)
})

test('memory is shared, wherever it stands', async () => {
  const value = new Value('int32', 0)
  for await (const _ of imap(add, Array(10).fill(value)));
  expect(value.value).toBe(10)
  expect(await apply(same, [new Map([['v', value]])]).then((m${any}) => m.get('v') === value)).toBe(true)
  const [again] = await all(imap(same, [new Map([['v', value]])]))
  expect(await apply(same, [again]).then((m${any}) => m.get('v') === value)).toBe(true)
  const queue = new Queue${isTyped ? '<any>' : ''}()
  await apply(put, [queue])
  expect(await queue.get()).toBe('there')
})

test('results can be items again', async () => {
  const [result] = await all(imap(rich, [0]))
  expect(await all(imap(same, [result, [result], { result }]))).toEqual([result, [result], { result }])
})
`,
  }
}

/** The same tests without a runner: `node main.mjs` says how many have passed. @returns {Files} */
export function points() {
  const head = `import assert from 'node:assert'

const tests = []
const test = (title, run) => tests.push({ title, run })
const expect = (value) => ({
  toBe: (other) => assert.strictEqual(value, other),
  toEqual: (other) => assert.deepEqual(value, other),
  toMatchObject: (other) => { for (const key in other) assert.deepEqual(value[key], other[key]) },
  toThrow: (text) => assert.throws(value, (error) => error.message.includes(text)),
  toBeGreaterThan: (least) => assert.ok(value > least),
})
`
  const files = runnerTests({ form: 'import', file: 'main.mjs', tasks: './tasks.mjs', extension: 'mjs', head })
  const end = `
let passed = 0
for (const { title, run } of tests) {
  try {
    await run()
    passed++
  } catch (error) {
    console.log('failed:', title, error)
  }
}
console.log(passed + ' of ' + tests.length + ' passed')
`
  return { ...files, 'main.mjs': files['main.mjs'] + end }
}
