// @ts-check
/** The checks of the library under a test runner or a runtime: a module of tasks, and tests in the form of Jest. */

/** @typedef {import('./programs.js').Files} Files */

/**
 * Tests for a runner, in the realm that it makes: values, errors of tasks with their classes, shared memory, pools, and
 * items that are ended.
 *
 * @param {object} options
 * @param {'import' | 'require'} options.form @param {string} options.file name of the test @param {string}
 * options.tasks
 * @param {string} [options.head] what it has in front
 * @param {string} [options.extension] of the module of tasks
 * @param {'commonjs' | 'module'} [options.type] @param {string} [options.module]
 * @returns {Files}
 */
export function runnerTests({ form, file, tasks, head = '', extension = 'js', type, module }) {
  const names =
    '{ imap, map, lines, pipe, apply, failure, Pool, TaskLoadError, NotSerializableError, TaskTimeoutError, WorkerCrashError }'
  const take = (/** @type {string} */ what, /** @type {string} */ from) =>
    form === 'import' ? `import ${what} from '${from}'` : `const ${what} = require('${from}')`
  const name = module ?? (form === 'import' ? 'import.meta.url' : '__filename')
  const isTyped = extension.endsWith('ts')
  const any = isTyped ? ': any' : ''
  const global = isTyped ? '(globalThis as any)' : 'globalThis'
  const exported = 'square, same, fail, add, put, rich, end, loop, hang, untilTold, untilAborted, inTurn, setUp, tell'
  return {
    'package.json': JSON.stringify({ private: true, ...(type && { type }) }),
    [`tasks.${extension}`]: `${take('{ tasks }', 'millrace/task')}

const all = tasks(${name}, {
  square: (x${any}) => x * x,
  same: (x${any}) => x,
  fail: (x${any}) => { throw Object.assign(new TypeError('no ' + x), { code: 'E_NO' }) },
  add: (value${any}) => value.atomicAdd(1),
  put: async (queue${any}) => { await queue.put('there') },
  end: (x${any}) => { if (x === 1) process.exit(3); return x },
  loop: (x${any}) => { if (x === 1) for (;;); return x },
  hang: (x${any}) => { if (x === 1) return new Promise(() => { setInterval(() => {}, 1000) }); return x },
  untilTold: async ({ n, begun, told }${any}, { signal }${any}) => {
    if (n === 0) return n
    begun.set()
    if (!signal.aborted) await new Promise((done) => { signal.addEventListener('abort', done, { once: true }) })
    await told.put([signal.reason.name, signal.reason.message])
    return n
  },
  untilAborted: ({ n, begun, ended }${any}, { signal }${any}) => {
    if (n === 0) return n
    begun.set()
    while (!signal.aborted);
    ended.set()
    return n
  },
  inTurn: async ({ lock, value }${any}) => {
    await lock.acquire()
    const old = value.value
    await new Promise((done) => { setImmediate(done) })
    value.value = old + 1
    lock.release()
  },
  setUp: (text${any}) => { ${global}.text = text },
  tell: () => ${global}.text,
  rich: () => ({ map: new Map([['a', new Set([1])]]), error: new RangeError('r'), date: new Date(0), bytes: new Uint8Array([1, 2]) }),
})
${form === 'import' ? `export const { ${exported} } = all` : 'Object.assign(exports, all)'}
`,
    [file]: `${head}${take(names, 'millrace')}
${take('{ Process, Value, Queue, Event, Lock }', 'millrace/multiprocessing')}
${take(`{ ${exported} }`, tasks)}
${take('{ Readable }', 'node:stream')}
${take('{ pipeline }', 'node:stream/promises')}
${take('{ ReadableStream }', 'node:stream/web')}
${take('{ gzipSync }', 'node:zlib')}

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

test('the end of a worker costs the item that ran, and no other', async () => {
  const [before, failed, after] = await all(imap(end, [0, 1, 2], { errors: 'settle' }))
  expect([before.value, after.value]).toEqual([0, 2])
  expect([failed.reason instanceof WorkerCrashError, failed.reason.code, failed.reason.exitCode]).toEqual([true, 'ERR_WORKER_CRASHED', 3])
  expect(failure(await caught(() => all(imap(end, [0, 1]))))).toMatchObject({ index: 1, task: 'end' })
})

test('timeout ends a loop, and a promise that never settles', async () => {
  const options = { errors: 'settle', timeout: 1000 }${isTyped ? ' as const' : ''}
  const results = await Promise.all([loop, hang].map((task${any}) => all(imap(task, [0, 1, 2], options))))
  for (const [before, failed, after] of results) {
    expect([before.value, after.value]).toEqual([0, 2])
    expect([failed.reason instanceof TaskTimeoutError, failed.reason.code]).toEqual([true, 'ERR_TASK_TIMEOUT'])
  }
})

test('break closes the source, and tells the item that runs', async () => {
  const [begun, told] = [new Event(), new Queue${isTyped ? '<any>' : ''}()]
  let isClosed = false
  function* source() {
    try { for (let n = 0; ; n++) yield { n, begun, told } } finally { isClosed = true }
  }
  for await (const _ of imap(untilTold, source(), { chunksize: 1 })) {
    await begun.wait()
    break
  }
  expect(isClosed).toBe(true)
  expect((await told.get())[0]).toBe('AbortError')
})

test('break ends synchronous items: those that look at their signal, and those that do not', async () => {
  const [begun, ended] = [new Event(), new Event()]
  const pool = new Pool({ workers: 1 })
  for await (const _ of pool.imap(untilAborted, [0, 1].map((n) => ({ n, begun, ended })), { chunksize: 1 })) {
    await begun.wait()
    break
  }
  await ended.wait()
  for await (const _ of pool.imap(loop, [0, 1], { chunksize: 1 })) break
  expect(await pool.apply(same, [5])).toBe(5)
  expect(pool.stats().crashes).toBe(0)
  await pool.close()
})

test('a signal ends a stream with its reason, and tells the item that runs', async () => {
  const [begun, told] = [new Event(), new Queue${isTyped ? '<any>' : ''}()]
  const [controller, reason] = [new AbortController(), new RangeError('enough')]
  const items = [0, 1, 2].map((n) => ({ n, begun, told }))
  const error = await caught(async () => {
    for await (const _ of imap(untilTold, items, { chunksize: 1, signal: controller.signal })) {
      await begun.wait()
      controller.abort(reason)
    }
  })
  expect(error === reason).toBe(true)
  expect(await told.get()).toEqual(['RangeError', 'enough'])
  expect((await caught(() => all(imap(hang, [1], { signal: AbortSignal.timeout(100) })))).name).toBe('TimeoutError')
})

test('locks, processes, initializers and finalizers', async () => {
  const [lock, value, queue] = [new Lock(), new Value('int32', 0), new Queue${isTyped ? '<any>' : ''}()]
  await all(imap(inTurn, Array(20).fill({ lock, value }), { chunksize: 1 }))
  expect(value.value).toBe(20)
  const started = new Process({ target: put, args: [queue] })
  started.start()
  expect(await queue.get()).toBe('there')
  await started.join()
  expect(started.exitCode).toBe(0)
  const pool = new Pool({ workers: 1, initializer: setUp, initargs: ['set up'], finalizer: tell })
  expect(await pool.map(tell, [0])).toEqual(['set up'])
  expect(await pool.close()).toEqual(['set up'])
})

test('gzip, Node streams and web streams', async () => {
  expect(await all(lines([gzipSync('a\\nb\\n')]))).toEqual(['a', 'b'])
  const seen${isTyped ? ': any[]' : ''} = []
  await pipeline(Readable.from([1, 2]), imap(square), async (results${any}) => { for await (const x of results) seen.push(x) })
  expect(seen).toEqual([1, 4])
  const stream = new ReadableStream({ start(own${any}) { own.enqueue(3); own.close() } })
  expect(await all(imap(square, stream))).toEqual([9])
})
`,
  }
}

/** The same tests without a runner: `node main.mjs` prints how many have passed. @returns {Files} */
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

/** The number of these tests. */
export const POINTS = points()['main.mjs']?.match(/^test\(/gm)?.length ?? 0
