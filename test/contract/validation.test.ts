/** The contract of a stream, clause 27: a bad option throws at the call, and the error says what to do. */
import { EventEmitter } from 'node:events'
import { fileURLToPath } from 'node:url'
import {
  apply,
  filter,
  filterUnordered,
  flatMap,
  flatMapUnordered,
  imap,
  imapUnordered,
  istarmap,
  istarmapUnordered,
  lines,
  map,
  pipe,
  Pool,
  reduce,
  starmap,
  task,
  tasks,
} from 'millrace'
import { Process } from 'millrace/multiprocessing'
import { act, double, share } from '../fixtures/contract-b-tasks.js'
import { Probe } from '../fixtures/contract-b-ways.js'

type Bad = readonly [value: unknown, text: string]

const OBJECTS: readonly Bad[] = [
  [null, 'null'],
  [{}, '{}'],
  [() => 8, '[Function'],
  [Symbol('eight'), 'Symbol(eight)'],
]
/** Values of a wrong type for an option that takes an integer. */
const NO_NUMBERS: readonly Bad[] = [
  ...OBJECTS,
  ['8', "'8'"],
  ['', "''"],
  [8n, '8n'],
  [true, 'true'],
  [[8], '[ 8 ]'],
  [new Number(8), '[Number: 8]'],
  [new Date(8), '1970-01-01'],
]
/** Numbers that are not counts. */
const NO_COUNTS: readonly Bad[] = [
  [0, '0'],
  [-1, '-1'],
  [1.5, '1.5'],
  [NaN, 'NaN'],
  [Infinity, 'Infinity'],
  [-Infinity, '-Infinity'],
  [2 ** 53, '9007199254740992'],
]

interface Rule {
  readonly option: string
  /** The allowed values, as the message names them. */
  readonly allowed: string
  readonly type?: readonly Bad[]
  readonly range?: readonly Bad[]
}

const STREAM_RULES: readonly Rule[] = [
  {
    option: 'chunksize',
    allowed: "an integer of at least 1 or 'auto'",
    type: NO_NUMBERS.filter(([value]) => typeof value !== 'string'),
    range: [...NO_COUNTS, ['8', "'8'"], ['Auto', "'Auto'"], ['', "''"]],
  },
  { option: 'window', allowed: 'an integer of at least 1', type: NO_NUMBERS, range: NO_COUNTS },
  {
    option: 'retries',
    allowed: 'an integer of at least 0',
    type: NO_NUMBERS.filter(([, text]) => text !== '{}'),
    range: NO_COUNTS.filter(([value]) => value !== 0),
  },
  {
    option: 'timeout',
    allowed: 'an integer from 1 to 2147483647, in milliseconds, or Infinity',
    type: [...NO_NUMBERS, ['1s', "'1s'"]],
    range: [...NO_COUNTS.filter(([value]) => value !== Infinity), [2 ** 31, '2147483648']],
  },
  { option: 'concurrency', allowed: 'an integer of at least 1', type: NO_NUMBERS, range: NO_COUNTS },
  {
    option: 'signal',
    allowed: 'an AbortSignal',
    type: [
      ...OBJECTS,
      ['abort', "'abort'"],
      [new AbortController(), '(pass its .signal)'],
      // The context of a task.
      [{ signal: new AbortController().signal, index: 0 }, '(pass its .signal)'],
      [new EventTarget(), 'EventTarget'],
      [{ aborted: false, addEventListener: () => undefined }, 'aborted: false'],
    ],
  },
  {
    option: 'errors',
    allowed: "'throw' or 'settle' or 'skip'",
    type: [...OBJECTS, [true, 'true'], [0, '0'], [['skip'], "[ 'skip' ]"]],
    range: [
      ['Throw', "'Throw'"],
      ['', "''"],
      ['ignore', "'ignore'"],
    ],
  },
  {
    option: 'workers',
    allowed: 'an integer',
    type: [...NO_NUMBERS, ['0', "'0'"], [false, 'false'], [0n, '0n']],
    // The pools of these tests have fewer workers.
    range: [...NO_COUNTS.filter(([value]) => value !== 0), [1_025, '1025']],
  },
]

const POOL_RULES: readonly Rule[] = [
  {
    option: 'workers',
    allowed: 'an integer from 1 to 1024',
    type: NO_NUMBERS,
    range: [...NO_COUNTS, [1_025, '1025']],
  },
  { option: 'name', allowed: 'a string', type: [...OBJECTS, [5, '5'], [['a'], "[ 'a' ]"]] },
  {
    option: 'idleTimeout',
    allowed: 'Infinity',
    type: NO_NUMBERS,
    range: [...NO_COUNTS.filter(([value]) => value !== 0 && value !== Infinity), [2 ** 31, '2147483648']],
  },
  {
    option: 'startTimeout',
    allowed: 'an integer from 1 to 2147483647, in milliseconds, or Infinity',
    type: NO_NUMBERS,
    range: [...NO_COUNTS.filter(([value]) => value !== Infinity), [2 ** 31, '2147483648']],
  },
  {
    option: 'execArgv',
    allowed: 'an array of strings',
    type: [
      ...OBJECTS,
      ['--no-warnings', "'--no-warnings'"],
      [[1], '[ 1 ]'],
      [['-r', undefined], "[ '-r', undefined ]"],
    ],
  },
  {
    option: 'env',
    allowed: 'an object of strings or SHARE_ENV',
    type: [
      ...OBJECTS.filter(([, text]) => text !== '{}'),
      ['A=1', "'A=1'"],
      [5, '5'],
      [['A=1'], "[ 'A=1' ]"],
      [{ A: 1 }, '{ A: 1 }'],
      [{ A: 'a', B: null }, 'B: null'],
    ],
  },
  {
    option: 'resourceLimits',
    allowed: 'an object of numbers',
    type: [
      ...OBJECTS.filter(([, text]) => text !== '{}'),
      [64, '64'],
      [[64], '[ 64 ]'],
      [{ maxOldGenerationSizeMb: '64' }, "{ maxOldGenerationSizeMb: '64' }"],
      [{ stackSizeMb: null }, '{ stackSizeMb: null }'],
    ],
  },
  { option: 'initargs', allowed: 'an array', type: [...OBJECTS, [5, '5'], ['ab', "'ab'"], [new Set([1]), 'Set(1)']] },
]

/** Mistakes in an option within `retries`. */
const RETRY_RULES: readonly (readonly [
  option: string,
  values: readonly (readonly [type: typeof TypeError | typeof RangeError, ...Bad])[],
  allowed: string,
])[] = [
  ['attempts', bad(NO_NUMBERS, NO_COUNTS), 'an integer of at least 1'],
  ...['minDelay', 'maxDelay'].map((option) => {
    const range: readonly Bad[] = [...NO_COUNTS.filter(([value]) => value !== 0), [2 ** 31, '2147483648']]
    return [option, bad(NO_NUMBERS, range), 'an integer from 0 to 2147483647, in milliseconds'] as const
  }),
  [
    'jitter',
    bad(
      NO_NUMBERS.filter(([value]) => value !== true),
      [
        [-0.1, '-0.1'],
        [1.1, '1.1'],
        [NaN, 'NaN'],
      ],
    ),
    'a number from 0 to 1, true or false',
  ],
  [
    'when',
    bad(
      NO_NUMBERS.filter(([value]) => typeof value !== 'function'),
      [],
    ),
    'a function',
  ],
]

function bad(
  types: readonly Bad[],
  ranges: readonly Bad[],
): readonly (readonly [type: typeof TypeError | typeof RangeError, ...Bad])[] {
  return [
    ...types.map((value) => [TypeError, ...value] as const),
    ...ranges.map((value) => [RangeError, ...value] as const),
  ]
}

/** Values that are not sources, their text in the error, and the cure. */
const NO_SOURCES: readonly (readonly [value: unknown, ...texts: string[]])[] = [
  [undefined, 'undefined'],
  [null, 'null'],
  [5, '5 (for the numbers below it: Array(n).keys())'],
  [true, 'true'],
  [Symbol('x'), 'Symbol(x)'],
  [{}, '{}', 'Object.entries(object)'],
  [{ next: () => ({ done: true }) }, 'next', 'an iterator without [Symbol.iterator]()'],
  ['text', "'text'", 'lines(path)', '[...text]'],
  ['https://example.com/a.log', 'lines(url)'],
  [new URL('https://example.com/a.log'), 'lines(url)'],
  [new URL('file:///a.log'), 'lines(url)'],
  [Promise.resolve([1]), 'Promise', 'a promise: await it first'],
  [function* () {}, 'GeneratorFunction', 'a generator: call it'],
  [async function* () {}, 'AsyncGeneratorFunction', 'a generator: call it'],
  [() => [1], '[Function', 'a function: call it'],
  [double, '[Task: double]', 'a task comes first, then the source'],
  [imap(double), '[Stage: imap double]', 'pipe(source, stage, …)'],
  [new Response('a'), '.body', 'lines(response.body)'],
  [new Blob(['a']), '.stream()', 'lines(blob.stream())'],
  [new EventEmitter(), "on(emitter, 'name')"],
  [new Date(0), '1970-01-01'],
  [new Uint8Array(1).buffer, 'ArrayBuffer'],
]

interface Thrown {
  readonly error: unknown
}

function thrownBy(call: () => unknown): Thrown | undefined {
  try {
    call()
  } catch (error) {
    return { error }
  }
  return undefined
}

/** The fault in the error of `call`, in words, so that one test can check many calls. */
function faults(
  what: string,
  call: () => unknown,
  type: typeof TypeError | typeof RangeError,
  parts: readonly string[],
  code = 'ERR_INVALID_OPTION',
): string[] {
  const thrown = thrownBy(call)
  if (thrown === undefined) return [`${what}: nothing was thrown`]
  const error = thrown.error as Error & { code?: unknown }
  if (Object.getPrototypeOf(error) !== type.prototype) return [`${what}: threw ${String(error)}, no ${type.name}`]
  if (error.code !== code) return [`${what}: threw ${String(error)} with code ${String(error.code)}`]
  return parts
    .filter((part) => !error.message.includes(part))
    .map((part) => `${what}: "${error.message}" lacks "${part}"`)
}

function ruleFaults({ option, allowed, type = [], range = [] }: Rule, call: (options: object) => unknown): string[] {
  const check = (error: typeof TypeError | typeof RangeError, values: readonly Bad[]): string[] =>
    values.flatMap(([value, text]) => {
      const received = `received ${text.startsWith("'") || /^[\d-]/.test(text) ? text : ''}`
      return faults(`${option}: ${text}`, () => call({ [option]: value }), error, [
        'Cannot ',
        `'${option}' must be `,
        allowed,
        received,
        text,
      ])
    })
  return [...check(TypeError, type), ...check(RangeError, range)]
}

// Users without types can pass values that the types exclude.
type Loose = (...args: unknown[]) => unknown
const loosePipe: Loose = pipe
const pool = new Pool({ workers: 1 })
const REQUIRED = { initial: 0, merge: (a: number, b: number): number => a + b }
/** `reduce` with its required options, so that its other options can be tested as those of other verbs. */
function reduceWith(verb: Loose): Loose {
  const complete = (options: unknown): unknown => {
    const isObject = typeof options === 'object' && options !== null && !Array.isArray(options)
    return isObject || options === undefined ? { ...REQUIRED, ...options } : options
  }
  return (task, first, ...rest) => {
    if (rest.length > 0) return verb(task, first, complete(rest[0]))
    return Array.isArray(first) ? verb(task, first, REQUIRED) : verb(task, complete(first))
  }
}

/** `map` or `starmap`, which do not have a stage. If a test makes one, it takes the given source and options. */
function mapWith(verb: Loose): Loose {
  const given = (task: unknown, source: unknown, options?: unknown): unknown => {
    const results = verb(task, source, options)
    // The items need not be arrays of arguments: only the call is tested here.
    if (results instanceof Promise) results.catch(() => undefined)
    return results
  }
  return (task, first, ...rest) => {
    if (rest.length > 0 || Array.isArray(first)) return given(task, first, ...rest)
    const isStage = first === undefined && task === double
    return isStage ? (source: unknown) => given(task, source) : given(task, [], first)
  }
}

interface Case {
  readonly name: string
  readonly verb: Loose
  /** The verb itself, because `verb` completes its options. */
  readonly raw?: Loose
  readonly rules: readonly Rule[]
  /** The options as an error lists them. */
  readonly known: string
}
/** If an item can have any number of results, outcomes do not exist. */
const SPREAD_RULES = STREAM_RULES.map((rule): Rule => {
  if (rule.option !== 'errors') return rule
  return { ...rule, allowed: "'throw' or 'skip'", range: [...(rule.range ?? []), ['settle', "'settle'"]] }
})
const REDUCE_RULES: readonly Rule[] = [
  ...SPREAD_RULES.filter(({ option }) => option !== 'concurrency'),
  {
    option: 'merge',
    allowed: 'a function',
    type: [...OBJECTS.filter(([value]) => typeof value !== 'function'), [5, '5']],
  },
  { option: 'ordered', allowed: 'true or false', type: [...OBJECTS, ['true', "'true'"], [0, '0'], [1, '1']] },
]
const known = 'chunksize, window, signal, errors, maxErrors, timeout, retries, transfer, concurrency, workers'
const knownToReduce =
  'chunksize, window, signal, errors, maxErrors, timeout, retries, transfer, initial, merge, ordered, resume, workers'
const VERBS: readonly Case[] = [
  { name: 'imap', verb: imap as Loose, rules: STREAM_RULES, known },
  { name: 'imapUnordered', verb: imapUnordered as Loose, rules: STREAM_RULES, known },
  { name: 'pool.imap', verb: pool.imap as Loose, rules: STREAM_RULES, known },
  { name: 'pool.imapUnordered', verb: pool.imapUnordered as Loose, rules: STREAM_RULES, known },
  { name: 'istarmap', verb: istarmap as Loose, rules: STREAM_RULES, known },
  { name: 'istarmapUnordered', verb: istarmapUnordered as Loose, rules: STREAM_RULES, known },
  { name: 'pool.istarmap', verb: pool.istarmap as Loose, rules: STREAM_RULES, known },
  { name: 'pool.istarmapUnordered', verb: pool.istarmapUnordered as Loose, rules: STREAM_RULES, known },
  { name: 'map', verb: mapWith(map as Loose), raw: map as Loose, rules: STREAM_RULES, known },
  { name: 'pool.map', verb: mapWith(pool.map as Loose), raw: pool.map as Loose, rules: STREAM_RULES, known },
  { name: 'starmap', verb: mapWith(starmap as Loose), raw: starmap as Loose, rules: STREAM_RULES, known },
  {
    name: 'pool.starmap',
    verb: mapWith(pool.starmap as Loose),
    raw: pool.starmap as Loose,
    rules: STREAM_RULES,
    known,
  },
  { name: 'filter', verb: filter as Loose, rules: SPREAD_RULES, known },
  { name: 'filterUnordered', verb: filterUnordered as Loose, rules: SPREAD_RULES, known },
  { name: 'pool.filter', verb: pool.filter as Loose, rules: SPREAD_RULES, known },
  { name: 'pool.filterUnordered', verb: pool.filterUnordered as Loose, rules: SPREAD_RULES, known },
  { name: 'flatMap', verb: flatMap as Loose, rules: SPREAD_RULES, known },
  { name: 'flatMapUnordered', verb: flatMapUnordered as Loose, rules: SPREAD_RULES, known },
  { name: 'pool.flatMap', verb: pool.flatMap as Loose, rules: SPREAD_RULES, known },
  { name: 'pool.flatMapUnordered', verb: pool.flatMapUnordered as Loose, rules: SPREAD_RULES, known },
  {
    name: 'reduce',
    verb: reduceWith(reduce as Loose),
    raw: reduce as Loose,
    rules: REDUCE_RULES,
    known: knownToReduce,
  },
  {
    name: 'pool.reduce',
    verb: reduceWith(pool.reduce as Loose),
    raw: pool.reduce as Loose,
    rules: REDUCE_RULES,
    known: knownToReduce,
  },
]
const LoosePool = Pool as unknown as new (options?: unknown) => unknown
afterAll(() => pool.close())

describe('clause 27: a bad option of a stream throws at the call', () => {
  for (const { name, verb, raw = verb, rules, known } of VERBS) {
    for (const rule of rules) {
      it(`${name}() names '${rule.option}', the allowed values and the received one`, () => {
        const probe = new Probe()
        const source = probe.sync(() => 1)
        expect(ruleFaults(rule, (options) => verb(double, source, options))).toEqual([])
        expect(ruleFaults(rule, (options) => verb(double, options))).toEqual([])
        if (rule.option !== 'workers') {
          expect(ruleFaults(rule, (options) => verb(double, source, { workers: 0, ...options }))).toEqual([])
        }
        expect([probe.opened, probe.reads]).toEqual([0, 0])
      })
    }

    it(`${name}() refuses a chunksize above the window, naming both`, () => {
      const parts = ["'chunksize'", "'window'", 'chunksize 8', 'window 7']
      const options = { chunksize: 8, window: 7 }
      expect(faults('stream', () => verb(double, [1], options), RangeError, parts)).toEqual([])
      expect(faults('stage', () => verb(double, options), RangeError, parts)).toEqual([])
      expect(faults('inline', () => verb(double, { ...options, workers: 0 }), RangeError, parts)).toEqual([])
      expect(thrownBy(() => verb(double, [1], { chunksize: 7, window: 7 }))).toBeUndefined()
      expect(thrownBy(() => verb(double, [1], { chunksize: 'auto', window: 1 }))).toBeUndefined()
    })

    it(`${name}() names the mistake within 'retries', the allowed values and the received one`, () => {
      const probe = new Probe()
      const call = (retries: object) => () =>
        verb(
          double,
          probe.sync(() => 1),
          { retries },
        )
      for (const [option, values, allowed] of RETRY_RULES) {
        for (const [type, value, text] of values) {
          const parts = ['Cannot ', `'retries.${option}' must be ${allowed}`, 'received', text]
          const what = `${option}: ${text}`
          expect(faults(what, call({ attempts: 1, [option]: value }), type, parts)).toEqual([])
          expect(faults(what, () => verb(double, { retries: { attempts: 1, [option]: value } }), type, parts)).toEqual(
            [],
          )
        }
      }
      const known = 'retries.attempts, retries.minDelay, retries.maxDelay, retries.jitter, retries.when'
      for (const option of ['delay', 'retries', 'mindelay', '']) {
        const parts = [`no option 'retries.${option}'`, known]
        expect(faults(option, call({ attempts: 1, [option]: 1 }), TypeError, parts)).toEqual([])
      }
      expect(faults('{}', call({}), TypeError, ["'retries.attempts' must be given", '{}'])).toEqual([])
      const order = ["'retries.minDelay' must not exceed 'retries.maxDelay'", 'received 5 and 4']
      expect(faults('order', call({ attempts: 1, minDelay: 5, maxDelay: 4 }), RangeError, order)).toEqual([])
      const long = ["'retries.minDelay' must not exceed", 'received 100 and 50']
      expect(faults('default', call({ attempts: 1, maxDelay: 50 }), RangeError, long)).toEqual([])
      expect([probe.opened, probe.reads]).toEqual([0, 0])
    })

    it(`${name}() refuses unknown options by name, and lists the known ones`, () => {
      for (const option of ['chunkSize', 'windowSize', 'timeOut', 'toString', 'length', '']) {
        const parts = [`'${option}'`, known]
        for (const value of [1, undefined]) {
          expect(faults(option, () => verb(double, [1], { [option]: value }), TypeError, parts)).toEqual([])
          expect(faults(option, () => verb(double, { [option]: value }), TypeError, parts)).toEqual([])
        }
      }
    })

    it(`${name}() refuses options that are not an object`, () => {
      for (const [value, text] of [
        [null, 'null'],
        [5, '5'],
        [true, 'true'],
        [Symbol('x'), 'Symbol(x)'],
        ['x', "'x'"],
        [[], '[]'],
        [() => ({}), '[Function'],
      ] as const) {
        expect(faults(text, () => verb(double, [1], value), TypeError, ['options', 'an object', text])).toEqual([])
        if (typeof value === 'string' || Array.isArray(value)) continue
        // In the second place it is probably meant as a source.
        const parts = ['source must be an iterable', text]
        expect(faults(text, () => raw(double, value), TypeError, parts, 'ERR_INVALID_SOURCE')).toEqual([])
      }
    })

    it(`${name}() takes undefined for any option, and the limits of each`, () => {
      for (const options of [
        {
          chunksize: undefined,
          window: undefined,
          signal: undefined,
          errors: undefined,
          workers: undefined,
          ...(known.includes('concurrency') ? { concurrency: undefined } : { ordered: undefined }),
        },
        { chunksize: 1, window: 1, ...(known.includes('concurrency') && { concurrency: 1 }) },
        { chunksize: Number.MAX_SAFE_INTEGER, window: Number.MAX_SAFE_INTEGER },
        { retries: undefined },
        { retries: 0 },
        { retries: Number.MAX_SAFE_INTEGER },
        { retries: { attempts: 1, minDelay: undefined, maxDelay: undefined, jitter: undefined, when: undefined } },
        { retries: { attempts: 1, minDelay: 0, maxDelay: 0, jitter: 0, when: Boolean } },
        { retries: { attempts: 1, minDelay: 2 ** 31 - 1, jitter: true } },
        { retries: { attempts: 1, maxDelay: 2 ** 31 - 1, jitter: false } },
        { errors: rules === STREAM_RULES ? 'settle' : 'skip', signal: new AbortController().signal },
        { timeout: Infinity },
        { timeout: 2 ** 31 - 1, workers: 1 },
        undefined,
      ]) {
        expect(thrownBy(() => verb(double, [1], options))).toBeUndefined()
        if (options !== undefined) expect(thrownBy(() => verb(double, options))).toBeUndefined()
      }
    })

    it(`${name}() refuses a value that is not a task`, () => {
      const module = import.meta.url
      for (const [value, text] of [
        [undefined, 'undefined'],
        [null, 'null'],
        ['double', "'double'"],
        ['./worker.mjs', "{ module: new URL('./worker.mjs', import.meta.url), export: 'name' }"],
        [Promise.resolve(double), 'a promise: await it first'],
        [5, '5'],
        [{}, '{}'],
        [{ module }, 'module:'],
        [{ export: 'double' }, "export: 'double'"],
        [{ module, export: '' }, "export: ''"],
        [{ module, export: 5 }, 'export: 5'],
        [
          { module: './relative.js', export: 'x' },
          "'./relative.js' (a file beside this one: new URL('./relative.js', import",
        ],
        [{ module: 'other.ts', export: 'x' }, "new URL('./other.ts', import.meta.url)"],
        [{ module: 'zlib', export: 'x' }, "'zlib' (a module of Node: 'node:zlib')"],
        [{ module: 'bare', export: 'x' }, "'bare' (a package: import.meta.resolve('bare'))"],
        [{ module: '@scope/bare/deep.js', export: 'x' }, "'@scope/bare/deep.js'"],
        [{ module: fileURLToPath(new URL('.', import.meta.url)), export: 'x' }, 'a folder: pass import.meta.url'],
        [{ module: 5, export: 'x' }, '5'],
      ] as const) {
        expect(faults(text, () => verb(value, [1]), TypeError, [text, 'import.meta.url'], 'ERR_INVALID_TASK')).toEqual(
          [],
        )
        expect(faults(text, () => verb(value), TypeError, [text, 'import.meta.url'], 'ERR_INVALID_TASK')).toEqual([])
      }
    })

    it(`${name}() and its stage refuse a value that is not a source, and say what to write instead`, () => {
      const stage = verb(double) as Loose
      for (const [value, ...texts] of NO_SOURCES) {
        const [text = ''] = texts
        const parts = ['source', 'iterable', ...texts]
        expect(faults(text, () => verb(double, value, {}), TypeError, parts, 'ERR_INVALID_SOURCE')).toEqual([])
        // map() does not have a stage, and takes a single object for the options of one.
        if (/(^|[.])(star)?map$/.test(name) && ['{}', 'next'].includes(text)) continue
        expect(faults(text, () => stage(value), TypeError, parts, 'ERR_INVALID_SOURCE')).toEqual([])
      }
    })

    it(`${name}() distinguishes a source from options`, () => {
      for (const [value, ...texts] of NO_SOURCES) {
        // An object without one of the options is taken for options, and the error speaks of both.
        if (Object.getPrototypeOf(Object(value)) === Object.prototype) continue
        if (value === undefined)
          texts[1] = name.includes('map') && !name.includes('imap') ? '' : 'leave the argument out'
        const parts = ['source', 'iterable', ...texts]
        expect(faults(texts[0], () => raw(double, value), TypeError, parts, 'ERR_INVALID_SOURCE')).toEqual([])
      }
      if (/(^|[.])(star)?map$/.test(name)) return
      const parts = ["it has no option 'a'", 'As a source it must be iterable: Object.entries(object)']
      expect(faults('object', () => raw(double, { a: 1 }), TypeError, parts)).toEqual([])
    })

    it(`${name}() says so when its arguments are in another order`, () => {
      const wrong = (...args: unknown[]): string[] => {
        const parts = ['its arguments must be in the order (task, source, options): received (']
        return faults('order', () => raw(...args), TypeError, parts, 'ERR_INVALID_TASK')
      }
      const items = [1, 2]
      expect(wrong(items, double)).toEqual([])
      expect(wrong(items, { module: import.meta.url, export: 'double' })).toEqual([])
      expect(wrong(items, () => 1, { workers: 0 })).toEqual([])
      expect(wrong(double, { window: 5 }, items)).toEqual([])
    })
  }
})

describe('clause 27: apply() throws at the call', () => {
  const call = apply as Loose

  it('says so when its arguments are in another order', () => {
    const parts = ['call a task with apply()', 'in the order (task, args, options): received (', '[Task: double]']
    expect(faults('order', () => call([1], double), TypeError, parts, 'ERR_INVALID_TASK')).toEqual([])
    expect(faults('options', () => call(double, {}, [1]), TypeError, parts, 'ERR_INVALID_TASK')).toEqual([])
  })

  it('refuses wrong arguments, unknown options, and too many workers', () => {
    const parts = ["must be an array, the task's arguments", 'received 5']
    expect(faults('5', () => call(double, 5), TypeError, parts, 'ERR_INVALID_ARGUMENTS')).toEqual([])
    expect(faults('window', () => call(double, [1], { window: 1 }), TypeError, ["no option 'window'"])).toEqual([])
    const workers = ["'workers' must be an integer from 0 to 1, the workers of pool 'pool'", 'new Pool({ workers: 2 })']
    expect(faults('workers', () => (pool.apply as Loose)(double, [1], { workers: 2 }), RangeError, workers)).toEqual([])
  })
})

it('clause 27: a signal in the place of the options is refused, and the error says where it goes', () => {
  const controller = new AbortController()
  for (const verb of [imap, filter, flatMap, map, pool.imap, pool.map] as unknown as Loose[]) {
    const options = ['its options must be an object']
    const own = [...options, '(a signal: pass { signal })']
    const itsController = [...options, '(pass { signal: controller.signal })']
    expect(faults('a signal', () => verb(double, [1], controller.signal), TypeError, own)).toEqual([])
    expect(faults('a controller', () => verb(double, [1], controller), TypeError, itsController)).toEqual([])
  }
})

describe('clause 27: pipe() throws at the call', () => {
  const call = loosePipe
  const stage = imap(double)

  it('refuses a value that is not a source, and says what to write instead', () => {
    for (const [value, ...texts] of NO_SOURCES) {
      // it-pipe calls a function, to get a source of it.
      if (typeof value === 'function' && value !== double && value !== stage) continue
      const parts = ['build a pipeline with pipe()', 'source', 'iterable', ...texts]
      expect(faults(texts[0], () => call(value, stage), TypeError, parts, 'ERR_INVALID_SOURCE')).toEqual([])
    }
    expect(faults('stage', () => call(stage), TypeError, ['[Stage: imap double]'], 'ERR_INVALID_SOURCE')).toEqual([])
    expect(faults('nothing', () => call(), TypeError, ['received undefined'], 'ERR_INVALID_SOURCE')).toEqual([])
  })

  it('refuses a value that is not a stage, and says what to write instead', () => {
    for (const [value, ...texts] of [
      [undefined, 'undefined'],
      [null, 'null'],
      [{}, '{}'],
      ['text', "'text'"],
      [double, '[Task: double] (a task needs a verb: imap(task))'],
      [{ module: import.meta.url, export: 'double' }, '(a task needs a verb: imap(task))'],
      [Promise.resolve(stage), '(a promise: await it first)'],
      [imap(double, [1]), '(a source or stream: a verb makes a stage where it gets no source'],
      [[1], '(a source or stream'],
    ] as const) {
      const code = 'ERR_INVALID_ARGUMENTS'
      const parts = ['build a pipeline with pipe()', 'must be a stage', ...texts]
      expect(faults('2', () => call([1], value), TypeError, ['its argument 2 ', ...parts], code)).toEqual([])
      expect(faults('3', () => call([1], stage, value), TypeError, ['its argument 3 ', ...parts], code)).toEqual([])
    }
  })

  it('takes functions and duplexes in every place, as it-pipe does', () => {
    const duplex = { source: [1], sink: (source: unknown) => source }
    expect(call(duplex, (source: unknown) => source)).toBe(duplex.source)
    expect(
      call(
        () => [5],
        (source: unknown) => source,
      ),
    ).toEqual([5])
    expect(call([7], duplex)).toEqual([7])
    expect(call([7], duplex, (source: unknown) => source)).toBe(duplex.source)
  })
})

describe('clause 27: a wrong call is shown where it was made', () => {
  const wrong: Record<string, () => unknown> = {
    'imap()': () => (imap as Loose)(double, 5),
    'imap() with a bad option': () => imap(double, [1], { window: 0 }),
    'pool.filter()': () => (pool.filter as Loose)(double, 5),
    'istarmap()': () => (istarmap as Loose)([1], double),
    'flatMap()': () => (flatMap as Loose)(),
    'a stage': () => (imap(double) as Loose)(5),
    'map()': () => (map as Loose)(double),
    'starmap()': () => (starmap as Loose)(double, 5),
    'reduce()': () => (reduce as Loose)(double, [1], {}),
    'a sink of reduce()': () => (reduce(double as never, REQUIRED) as Loose)(5),
    'apply()': () => (apply as Loose)(double, 5),
    'pipe()': () => loosePipe([1], 5),
    'task()': () => (task as Loose)('relative.js', 'id', double),
    'tasks()': () => (tasks as Loose)(import.meta.url, { five: 5 }),
    'lines()': () => (lines as Loose)(5),
    'new Pool()': () => new LoosePool({ workers: 0 }),
    'new Process()': () => new (Process as unknown as new (options: unknown) => unknown)({ target: 5 }),
    'a loop over a stage': async () => {
      for await (const _ of imap(double) as unknown as AsyncIterable<number>);
    },
  }
  it.each(Object.entries(wrong))('%s', async (_, call) => {
    const error: unknown = await (async () => await call())().catch((error: unknown) => error)
    const [message = '', first = ''] = String((error as Error).stack).split(/\n(?= {4}at )/)
    expect(message).toMatch(/^(Type|Range)Error(: | \[ERR_\w+\]: )Cannot /)
    expect(first).toContain('validation.test')
  })
})

describe('clause 27: reduce() throws at the call', () => {
  const calls: Record<string, (...options: unknown[]) => unknown> = {
    direct: (...options) => (reduce as Loose)(double, [1], ...options),
    'as a sink': (...options) => (pool.reduce as Loose)(double, ...options),
    'on this thread': (options) => (reduce as Loose)(double, [1], { ...(options as object), workers: 0 }),
  }
  for (const [how, call] of Object.entries(calls)) {
    it(`without 'initial' or 'merge', by name (${how})`, () => {
      const parts = ['Cannot fold a source with reduce() as ', "'initial'", 'must be given']
      expect(faults('initial', () => call({ merge: REQUIRED.merge }), TypeError, parts)).toEqual([])
      expect(faults('options', () => call(), TypeError, parts)).toEqual([])
      const merge = ['Cannot fold a source with reduce() as ', "'merge' must be a function", 'received undefined']
      expect(faults('merge', () => call({ initial: 0 }), TypeError, merge)).toEqual([])
    })

    it(`for an 'initial' that cannot be cloned, with the cause (${how})`, () => {
      for (const [initial, text] of [
        [() => 0, '[Function'],
        [{ count: Symbol('zero') }, 'Symbol(zero)'],
        [new WeakMap(), 'WeakMap'],
      ] as const) {
        const parts = ["'initial' must be something that can be cloned", text]
        expect(faults(text, () => call({ ...REQUIRED, initial }), TypeError, parts)).toEqual([])
        const { cause } = thrownBy(() => call({ ...REQUIRED, initial }))?.error as Error
        expect(cause).toMatchObject({ name: 'DataCloneError' })
      }
    })

    it(`but takes undefined for an accumulator (${how})`, () => {
      expect(thrownBy(() => call({ ...REQUIRED, initial: undefined }))).toBeUndefined()
    })
  }
})

describe('clause 27: a bad option of a pool throws at the call', () => {
  for (const rule of POOL_RULES) {
    it(`new Pool() names '${rule.option}', the allowed values and the received one`, () => {
      expect(ruleFaults(rule, (options) => new LoosePool(options))).toEqual([])
    })
  }

  it('new Pool() refuses wrong limits, with any error of them', () => {
    for (const resourceLimits of [
      { maxOldGenerationSizeMb: 0 },
      { maxOldGenerationSizeMb: -1 },
      { maxYoungGenerationSizeMb: NaN },
      { stackSizeMb: Infinity },
    ]) {
      expect(thrownBy(() => new LoosePool({ resourceLimits }))?.error).toMatchObject({
        code: 'ERR_INVALID_OPTION',
        message: expect.stringContaining("'resourceLimits' must be") as string,
      })
    }
  })

  it('new Pool() and new Process() refuse limits so small that Node would end the program, and name the least', () => {
    for (const [name, least, tooSmall] of [
      ['stackSizeMb', 0.3, [0.01, 0.2, 0.29]],
      ['maxOldGenerationSizeMb', 4, [0.1, 1, 3.9]],
    ] as const) {
      for (const limit of tooSmall) {
        const resourceLimits = { [name]: limit }
        for (const make of [
          () => new LoosePool({ resourceLimits }),
          () => new Process({ target: act, resourceLimits }),
        ]) {
          const thrown = thrownBy(make)?.error
          expect(thrown).toBeInstanceOf(RangeError)
          expect(thrown).toMatchObject({
            code: 'ERR_INVALID_OPTION',
            message: expect.stringMatching(
              new RegExp(`'resourceLimits.${name}' must be at least ${least}, .*: received ${limit}$`),
            ) as string,
          })
        }
      }
    }
  })

  it('new Pool() refuses a limit that Node does not know, which would be no limit', () => {
    const thrown = thrownBy(() => new LoosePool({ resourceLimits: { maxOldGenerationSizeMB: 64 } }))
    expect(thrown?.error).toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringContaining('maxOldGenerationSizeMB') as string,
    })
  })

  it('new Pool() refuses an initializer that is not a task', () => {
    const parts = ['make a pool', 'task(import.meta.url']
    for (const initializer of [() => undefined, 5, null, 'share', {}, { module: import.meta.url }]) {
      const call = (): unknown => new LoosePool({ initializer })
      expect(faults(typeof initializer, call, TypeError, parts, 'ERR_INVALID_TASK')).toEqual([])
    }
  })

  it('new Pool() refuses unknown options by name, and lists the known ones', () => {
    for (const option of ['worker', 'size', 'window', 'chunksize', 'constructor', 'idletimeout']) {
      const parts = [
        `'${option}'`,
        'workers, name, isolation, idleTimeout, startTimeout, execArgv, env, resourceLimits, maxTasksPerWorker, maxHeapUsed, initializer, initargs, finalizer',
      ]
      expect(faults(option, () => new LoosePool({ [option]: 1 }), TypeError, parts)).toEqual([])
    }
  })

  it('new Pool() refuses options that are not an object', () => {
    for (const [value, text] of [
      [null, 'null'],
      [4, '4'],
      ['4', "'4'"],
      [[], '[]'],
      [true, 'true'],
    ] as const) {
      expect(faults(text, () => new LoosePool(value), TypeError, ['make a pool', 'an object', text])).toEqual([])
    }
  })

  it('new Pool() takes undefined for any option, and the limits of each', () => {
    for (const options of [
      undefined,
      {},
      { workers: 1 },
      { workers: 1_024, idleTimeout: Infinity },
      { idleTimeout: 0 },
      { idleTimeout: 2 ** 31 - 1 },
      { name: '', execArgv: [], env: {}, resourceLimits: {}, initargs: [] },
      { env: { A: undefined, B: '' } },
      { initializer: share, initargs: undefined },
      { workers: undefined, name: undefined, execArgv: undefined, env: undefined, resourceLimits: undefined },
    ]) {
      expect(thrownBy(() => new LoosePool(options))).toBeUndefined()
    }
  })

  it('a task handle is taken where a task is wanted', () => {
    expect(thrownBy(() => imap(act))).toBeUndefined()
  })
})
