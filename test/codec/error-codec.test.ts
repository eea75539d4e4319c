import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { createContext, runInContext } from 'node:vm'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { inspect, types } from 'node:util'
import { decodeError } from '#dist/codec/error-codec/decode.js'
import { encodeError } from '#dist/codec/error-codec/encode.js'
import type { EncodedError } from '#dist/codec/error-codec/types.js'
import * as errors from '#dist/errors.js'
import * as multiprocessing from '#dist/multiprocessing/errors.js'
import { times } from '../support/volume.js'

const { port1, port2 } = new MessageChannel()

afterAll(() => {
  port1.close()
})

/** The value that arrives on another thread. */
function cross(thrown: unknown, note?: string): unknown {
  port1.postMessage(encodeError(thrown, note))
  const arrived = receiveMessageOnPort(port2) as { message: EncodedError }
  return decodeError(arrived.message)
}

/** The value that arrives. It must be an error. */
function crossError(thrown: unknown, note?: string): Error & Record<string, unknown> {
  const arrived = cross(thrown, note)
  expect(types.isNativeError(arrived)).toBe(true)
  return arrived as Error & Record<string, unknown>
}

function withFields<T extends object>(error: T, fields: Record<string, unknown>): T {
  return Object.assign(error, fields)
}

/** An error whose `key` throws when it is read. */
function throwing(key: string): Error {
  return Object.defineProperty(new RangeError('told'), key, {
    enumerable: true,
    get: () => {
      throw new Error('not to be seen')
    },
  })
}

describe('the error codec, for what is no error', () => {
  const values = [undefined, null, 0, -0, NaN, '', false, 'text', 12n, [1, [2]], { a: { b: 1 } }, new Date(5)]
  it.each(values.map((value) => [value]))('brings %p as it was thrown', (value) => {
    const arrived = cross(value, 'a note')
    expect(arrived).toStrictEqual(value)
    expect(Object.is(arrived, value)).toBe(typeof value !== 'object' || value === null)
  })

  it('brings maps, sets and cycles as structured clone does', () => {
    const thrown = new Map<string, unknown>([['set', new Set([1, 'two'])]])
    thrown.set('self', thrown)
    const arrived = cross(thrown) as Map<string, unknown>
    expect(arrived.get('set')).toEqual(new Set([1, 'two']))
    expect(arrived.get('self')).toBe(arrived)
  })

  const seven = Promise.resolve(7)
  it.each([
    ['a function', () => 1, '[Function (anonymous)]'],
    ['a symbol', Symbol('sign'), 'Symbol(sign)'],
    // It has ids while an AsyncLocalStorage is in use.
    ['a promise', seven, inspect(seven)],
    ['an object that holds a function', { run: () => 1 }, '{ run: [Function: run] }'],
    // Newer versions of Node name the proxy.
    ['a proxy', new Proxy({ a: 1 }, {}), inspect(new Proxy({ a: 1 }, {}))],
  ])('describes %s in a plain Error', (_, thrown, shown) => {
    const arrived = crossError(thrown)
    expect(Object.getPrototypeOf(arrived)).toBe(Error.prototype)
    expect(arrived.message).toBe(`Cannot return what was thrown as it cannot be cloned: received ${shown}`)
    expect(arrived.stack).toBe(`Error: ${arrived.message}`)
  })

  it('describes a large value in few words', () => {
    const large = Object.fromEntries(Array.from({ length: 5000 }, (_, key) => [`key${key}`, () => key]))
    const { message } = crossError(large)
    expect(message).toMatch(/received \{.*key0: .+…$/s)
    expect(message.length).toBeLessThan(300)
  })

  it('describes a revoked proxy in a plain Error', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(crossError(proxy).message).toContain('<Revoked Proxy>')
  })

  it('describes a value that nests too deep for the stack of another thread', () => {
    let deep: object = {}
    for (let level = 0; level < 1500; level++) deep = { deep }
    expect(crossError(deep).message).toContain('received { deep: [Object] }')
    let fair: object = {}
    for (let level = 0; level < 900; level++) fair = [fair]
    expect(Array.isArray(cross(fair))).toBe(true)
  })
})

describe('the error codec, for an error', () => {
  const builtIn = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError] as const
  it.each(builtIn.map((Class) => [Class.name, Class] as const))('keeps the class %s', (name, Class) => {
    const thrown = new Class('told')
    const arrived = crossError(thrown)
    expect(Object.getPrototypeOf(arrived)).toBe(Class.prototype)
    expect([arrived.name, arrived.message, arrived.stack]).toStrictEqual([name, 'told', thrown.stack])
    expect(Object.getOwnPropertyNames(arrived).sort()).toStrictEqual(['message', 'stack'])
    expect(Object.keys(arrived)).toStrictEqual([])
  })

  it('does not have an own message when none was given', () => {
    expect(Object.hasOwn(crossError(new TypeError()), 'message')).toBe(false)
    expect(Object.hasOwn(crossError(new TypeError('')), 'message')).toBe(true)
  })

  it("gives a user's class as the nearest built-in one, with its name", () => {
    class HttpError extends RangeError {
      override name = 'HttpError'
      status = 503
    }
    class BusyError extends HttpError {
      get code(): string {
        return `E_${String(this.status)}`
      }
    }
    const arrived = crossError(new BusyError('busy'))
    expect(Object.getPrototypeOf(arrived)).toBe(RangeError.prototype)
    expect(Object.getOwnPropertyDescriptor(arrived, 'name')).toStrictEqual({
      value: 'HttpError',
      enumerable: false,
      writable: true,
      configurable: true,
    })
    expect(arrived.code).toBe('E_503')
    expect(Object.keys(arrived)).toStrictEqual(['status'])
    expect(arrived.status).toBe(503)
  })

  it('takes a message and a cause that only the class has', () => {
    class Told extends Error {
      override get message(): string {
        return ['by', 'the', 'class'].join(' ')
      }
      override get cause(): unknown {
        return 'of the class'
      }
    }
    const arrived = crossError(new Told())
    expect([arrived.message, arrived.cause]).toStrictEqual(['by the class', 'of the class'])
  })

  it('does not take a method for a cause', () => {
    class Told extends Error {}
    Object.assign(Told.prototype, { cause: () => 'of the class' })
    expect('cause' in crossError(new Told())).toBe(false)
  })

  it('keeps own enumerable fields in their order', () => {
    const fields = { code: 'E_X', when: new Date(3), tags: new Set(['a']), none: undefined, minus: -0, list: [1n] }
    const arrived = crossError(withFields(new Error('told'), fields))
    expect(Object.entries(arrived)).toStrictEqual(Object.entries(fields))
  })

  it('keeps the fields of a system error', () => {
    let thrown: unknown
    try {
      readFileSync('/no/such/file')
    } catch (error) {
      thrown = error
    }
    const arrived = crossError(thrown)
    expect(Object.entries(arrived)).toStrictEqual(Object.entries(thrown as object))
    expect(arrived.code).toBe('ENOENT')
  })

  it('keeps a code that is not enumerable, and keeps it so', () => {
    const arrived = crossError(Object.defineProperty(new Error('told'), 'code', { value: 'E_HIDDEN' }))
    expect(arrived.code).toBe('E_HIDDEN')
    expect(Object.keys(arrived)).toStrictEqual([])
  })

  it('leaves out fields that cannot be cloned or read, and symbols', () => {
    const thrown = withFields(throwing('bad'), { run: () => 1, sign: Symbol('s'), port: port1, good: 1 })
    Object.defineProperty(thrown, Symbol('key'), { value: 1, enumerable: true })
    const arrived = crossError(thrown)
    expect(Reflect.ownKeys(arrived).sort()).toStrictEqual(['good', 'message', 'stack'])
  })

  it('takes a field named __proto__ for data', () => {
    const thrown = new RangeError('told')
    Object.defineProperty(thrown, '__proto__', { value: { evil: true }, enumerable: true })
    const arrived = crossError(thrown)
    expect(Object.getPrototypeOf(arrived)).toBe(RangeError.prototype)
    expect(Object.getOwnPropertyDescriptor(arrived, '__proto__')?.value).toStrictEqual({ evil: true })
  })

  it('brings errors in fields as errors', () => {
    const thrown = withFields(new Error('outer'), { inner: withFields(new TypeError('inner'), { code: 'E_IN' }) })
    const { inner } = crossError(thrown) as unknown as { inner: TypeError & { code: string } }
    expect(inner).toBeInstanceOf(TypeError)
    expect([inner.message, inner.code]).toStrictEqual(['inner', 'E_IN'])
  })
})

describe('the error codec, for causes and aggregates', () => {
  it('keeps the difference between a cause of undefined and a missing cause', () => {
    expect(Object.getOwnPropertyDescriptor(crossError(new Error('told', { cause: undefined })), 'cause')).toStrictEqual(
      {
        value: undefined,
        enumerable: false,
        writable: true,
        configurable: true,
      },
    )
    expect('cause' in crossError(new Error('told'))).toBe(false)
  })

  it('brings causes of any kind, hidden as a native one is', () => {
    const arrived = crossError(withFields(new Error('told'), { cause: { why: [1] } }))
    expect(arrived.cause).toStrictEqual({ why: [1] })
    expect(Object.keys(arrived)).toStrictEqual([])
    expect(crossError(new Error('told', { cause: 0 })).cause).toBe(0)
  })

  it('describes a cause that cannot be cloned', () => {
    const { cause } = crossError(new Error('told', { cause: Symbol('why') }))
    expect(cause).toBeInstanceOf(Error)
    expect((cause as Error).message).toBe(
      'Cannot return the cause of an error as it cannot be cloned: received Symbol(why)',
    )
  })

  it('keeps cycles and shared errors', () => {
    const shared = new TypeError('shared')
    const left = new Error('left', { cause: shared })
    const right = withFields(new Error('right', { cause: shared }), { shared })
    const thrown = new AggregateError([left, right, left], 'all')
    shared.cause = thrown
    const arrived = crossError(thrown) as unknown as AggregateError
    const [first, second, third] = arrived.errors as (Error & { shared?: unknown })[]
    expect(third).toBe(first)
    expect(first.cause).toBe(second.cause)
    expect(second.shared).toBe(first.cause)
    expect((first.cause as Error).cause).toBe(arrived)
  })

  const length = times(20_000, 100_000)
  it(`brings a chain of ${length} causes`, () => {
    let thrown = new Error('0')
    for (let depth = 1; depth < length; depth++) thrown = new Error(String(depth), { cause: thrown })
    let depth = 0
    let last: unknown
    for (let at: unknown = cross(thrown); at instanceof Error; at = at.cause) {
      last = at.message
      depth++
    }
    expect([depth, last]).toStrictEqual([length, '0'])
  })

  it('ends where a getter makes causes without end', () => {
    class Endless extends Error {
      override get cause(): unknown {
        return new Endless()
      }
    }
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    try {
      expect(crossError(new Endless('told')).message).toBe('told')
    } finally {
      Error.stackTraceLimit = limit
    }
  })

  it('brings the errors of an AggregateError by the same rules', () => {
    const inner = [withFields(new RangeError('one'), { code: 'E_ONE' }), 'two', undefined, { three: 3 }, () => 4]
    const arrived = crossError(new AggregateError(inner, 'all')) as unknown as AggregateError
    expect(arrived).toBeInstanceOf(AggregateError)
    expect(Object.keys(arrived)).toStrictEqual([])
    const [one, two, three, four, five] = arrived.errors as unknown[]
    expect(one).toBeInstanceOf(RangeError)
    expect((one as { code: string }).code).toBe('E_ONE')
    expect([two, three, four]).toStrictEqual(['two', undefined, { three: 3 }])
    expect((five as Error).message).toContain('Cannot return one of several errors')
  })

  it('brings a list of errors that another class has, and what else is in such a field', () => {
    const arrived = crossError(withFields(new Error('told'), { errors: [new SyntaxError('in')] }))
    expect(Object.keys(arrived)).toStrictEqual(['errors'])
    expect((arrived.errors as unknown[])[0]).toBeInstanceOf(SyntaxError)
    expect(crossError(withFields(new Error('told'), { errors: { field: 'bad' } })).errors).toEqual({ field: 'bad' })
    expect('errors' in crossError(withFields(new Error('told'), { errors: new Proxy([], {}) }))).toBe(false)
    const sparse: unknown[] = []
    sparse.length = 4e9
    expect((crossError(withFields(new Error('told'), { errors: sparse })).errors as unknown[]).length).toBe(4e9)
  })
})

describe('the error codec, for a DOMException', () => {
  it('keeps class, name, code, message, stack and cause', () => {
    const thrown = new DOMException('stop', { name: 'AbortError', cause: new RangeError('why') } as never)
    const arrived = cross(thrown) as DOMException & { cause: unknown }
    expect(arrived).toBeInstanceOf(DOMException)
    expect([arrived.name, arrived.code, arrived.message]).toStrictEqual(['AbortError', 20, 'stop'])
    expect(arrived.stack).toBe(thrown.stack)
    expect(arrived.cause).toBeInstanceOf(RangeError)
    expect(Object.getOwnPropertyNames(arrived).sort()).toStrictEqual(['cause', 'stack'])
    expect('cause' in (cross(new DOMException('stop')) as object)).toBe(false)
  })

  it('keeps the reason of an aborted signal', () => {
    const arrived = cross(AbortSignal.abort().reason) as DOMException
    expect([arrived.name, arrived.code]).toStrictEqual(['AbortError', DOMException.ABORT_ERR])
  })

  it('accepts an object that only pretends to be one', () => {
    expect(cross(Object.create(DOMException.prototype))).toBeInstanceOf(DOMException)
  })
})

describe("the error codec, for this library's errors", () => {
  const cause = new TypeError('why')
  const own: [string, Error][] = [
    ['MillraceError', new errors.MillraceError('told', 'ERR_PROCESS_STATE', { cause })],
    ['NotSerializableError', new errors.NotSerializableError('told', { cause })],
    ['WorkerCrashError', new errors.WorkerCrashError('told', 7, { cause })],
    ['WorkerStartError', new errors.WorkerStartError('told', { cause })],
    ['TaskLoadError', new errors.TaskLoadError('told', { cause })],
    ['TaskTimeoutError', new errors.TaskTimeoutError('told', { cause })],
    ['PoolClosedError', new errors.PoolClosedError('told', 'ERR_POOL_TERMINATED')],
    ['MainThreadGuardError', new errors.MainThreadGuardError('told')],
    ['InputError', new errors.InputError('told', 'ERR_DAMAGED_INPUT', 14)],
    ['LineError', new errors.LineError('told', 'ERR_LINE_TOO_LONG', 3, 14)],
    ['RecordError', new errors.RecordError('told', 'ERR_JSON', { file: 'a.json', record: 2, line: 3, offset: 14 })],
    ['OutputError', new errors.OutputError('told', 'ERR_OUTPUT_EXISTS')],
    ['CheckpointError', new errors.CheckpointError('told', 'ERR_CHECKPOINT_PLAN')],
    ['SyncError', new multiprocessing.SyncError('told', 'ERR_NOT_OWNER')],
    ['BrokenBarrierError', new multiprocessing.BrokenBarrierError('told')],
    ['QueueEmptyError', new multiprocessing.QueueEmptyError('told')],
    ['QueueFullError', new multiprocessing.QueueFullError('told')],
    ['QueueClosedError', new multiprocessing.QueueClosedError('told')],
    ['EndOfFileError', new multiprocessing.EndOfFileError('told')],
    ['PipeClosedError', new multiprocessing.PipeClosedError('told')],
  ]

  it('knows each of them', () => {
    const classes = Object.entries({ ...errors, ...multiprocessing }).filter(
      ([name]) => name.endsWith('Error') && !/^[a-z]/.test(name),
    )
    expect(new Set(own.map(([, error]) => error.constructor))).toStrictEqual(new Set(classes.map(([, Class]) => Class)))
  })

  it.each(own)('keeps class and fields of a %s', (name, thrown) => {
    const arrived = crossError(thrown)
    expect(arrived).toBeInstanceOf(thrown.constructor)
    expect(arrived.name).toBe(name)
    expect(arrived.message).toBe('told')
    expect(arrived.stack).toBe(thrown.stack)
    expect(new Map(Object.entries(arrived).concat([['name', name]]))).toEqual(new Map(Object.entries(thrown)))
    expect('cause' in arrived).toBe('cause' in thrown)
  })

  it('does not take a namesake for one', () => {
    class LineError extends Error {
      override name = 'LineError'
      code = 'ERR_LINE_TOO_LONG'
    }
    const arrived = crossError(new LineError('told'))
    expect(arrived).not.toBeInstanceOf(errors.LineError)
    expect([arrived.name, arrived.code]).toStrictEqual(['LineError', 'ERR_LINE_TOO_LONG'])
  })
})

describe('the error codec, for odd errors', () => {
  it('takes an error of another realm for one', () => {
    const thrown: unknown = runInContext(
      "class Far extends RangeError { code = 'E_FAR' }; new Far('told', { cause: new SyntaxError('why') })",
      createContext(),
    )
    expect(thrown).not.toBeInstanceOf(Error)
    const arrived = crossError(thrown)
    expect(arrived).toBeInstanceOf(RangeError)
    expect(arrived.cause).toBeInstanceOf(SyntaxError)
    expect([arrived.message, arrived.code]).toStrictEqual(['told', 'E_FAR'])
  })

  it('takes an object for an error by its prototype', () => {
    const thrown = withFields(Object.create(TypeError.prototype) as Error, { message: 'told', code: 'E_OLD' })
    const arrived = crossError(thrown)
    expect(arrived).toBeInstanceOf(TypeError)
    expect([arrived.message, arrived.code, arrived.stack]).toStrictEqual(['told', 'E_OLD', 'TypeError: told'])
  })

  it('accepts an error without a prototype', () => {
    const arrived = crossError(Object.setPrototypeOf(new Error('told'), null))
    expect([Object.getPrototypeOf(arrived), arrived.message]).toStrictEqual([Error.prototype, 'told'])
  })

  it('accepts frozen errors', () => {
    const thrown = Object.freeze(withFields(new RangeError('told', { cause: 1 }), { code: 'E_ICE' }))
    const arrived = crossError(thrown)
    expect([arrived.message, arrived.cause, arrived.code, arrived.stack]).toStrictEqual([
      'told',
      1,
      'E_ICE',
      thrown.stack,
    ])
  })

  it.each(['message', 'stack', 'name', 'cause', 'code'])('accepts an error whose %s throws', (key) => {
    const arrived = crossError(throwing(key))
    expect(arrived).toBeInstanceOf(RangeError)
    expect(arrived.message).toBe(key === 'message' ? '' : 'told')
    expect(typeof arrived.stack).toBe('string')
    expect(JSON.stringify(encodeError(throwing(key)))).not.toContain('not to be seen')
  })

  it.each([
    ['a number', 5, '5'],
    ['undefined', undefined, ''],
    ['an object', { text: 'in' }, "{ text: 'in' }"],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
  ])('makes text of a message that is %s', (_, message, text) => {
    expect(crossError(withFields(new Error(), { message })).message).toBe(text)
  })

  it('accepts names and stacks that are not strings', () => {
    const arrived = crossError(withFields(new RangeError('told'), { name: {}, stack: [] }))
    expect([arrived.name, arrived.stack]).toStrictEqual(['RangeError', 'RangeError: told'])
  })

  it('accepts a proxy of an error', () => {
    const arrived = crossError(new Proxy(withFields(new RangeError('told'), { code: 'E_P' }), {}))
    expect(arrived).toBeInstanceOf(RangeError)
    expect([arrived.message, arrived.code]).toStrictEqual(['told', 'E_P'])
  })

  it('accepts a proxy of which every trap throws except that of its prototype', () => {
    const refuse = (): never => {
      throw new Error('no')
    }
    const handler = { get: refuse, has: refuse, ownKeys: refuse, getOwnPropertyDescriptor: refuse }
    expect(crossError(new Proxy(new TypeError('told'), handler))).toBeInstanceOf(TypeError)
    expect(crossError(new Proxy({}, { ...handler, getPrototypeOf: refuse })).message).toContain('what was thrown')
  })

  it('leaves the thrown error as it was', () => {
    const thrown = withFields(new Error('told', { cause: 1 }), { list: [1] })
    const before = Object.getOwnPropertyDescriptors(thrown)
    encodeError(thrown, 'a note')
    expect(Object.getOwnPropertyDescriptors(thrown)).toStrictEqual(before)
  })
})

describe('the note of an encoded error', () => {
  it('is the last line of the stack of the thrown error alone', () => {
    const cause = new Error('why')
    const thrown = new Error('told', { cause })
    const arrived = crossError(thrown, 'item 7 of parse (worker 2)')
    expect(arrived.stack).toBe(`${String(thrown.stack)}\n    at item 7 of parse (worker 2)`)
    expect((arrived.cause as Error).stack).toBe(cause.stack)
  })

  it('stands under the text that describes what cannot be cloned', () => {
    const arrived = crossError(Symbol('s'), 'item 7')
    expect(arrived.stack).toBe(`Error: ${arrived.message}\n    at item 7`)
  })

  it('is not added to an error without a stack', () => {
    const thrown = new Error('told')
    delete thrown.stack
    expect(crossError(thrown, 'item 7').stack).toBe('Error: told')
  })

  it('makes no second copy of the stack', () => {
    const thrown = new Error('told')
    thrown.stack = 'long '.repeat(1000)
    expect(JSON.stringify(encodeError(thrown, 'item 7')).length).toBeLessThan(5300)
  })
})

describe('the error codec, for any tree of errors', () => {
  interface Tree {
    Class: ErrorConstructor
    message: string | undefined
    name: string | undefined
    fields: [string, unknown][]
    cause: { value: unknown } | undefined
    errors: unknown[] | undefined
  }

  const value = fc.oneof(
    fc.jsonValue(),
    fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
    fc.constantFrom(undefined, NaN, -0, Infinity),
  )
  const special = new Set(['name', 'message', 'stack', 'cause', 'errors'])
  const { thrown: anything } = fc.letrec<{ thrown: unknown; tree: Tree }>((tie) => ({
    thrown: fc.oneof({ maxDepth: 4, depthSize: 'small' }, value, tie('tree')),
    tree: fc
      .record({
        Class: fc.constantFrom(Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError),
        message: fc.option(fc.string(), { nil: undefined }),
        name: fc.option(fc.string(), { nil: undefined }),
        fields: fc.uniqueArray(
          fc.tuple(
            fc
              .oneof(fc.string(), fc.constantFrom('code', 'path', '__proto__', 'constructor', 'toString'))
              .filter((key) => !special.has(key)),
            tie('thrown'),
          ),
          { maxLength: 4, selector: ([key]) => key },
        ),
        cause: fc.option(fc.record({ value: tie('thrown') }, { noNullPrototype: true }), { nil: undefined }),
        errors: fc.option(fc.array(tie('thrown'), { maxLength: 3 }), { nil: undefined }),
      })
      .map((tree) => Object.assign(Object.create(treeMark) as Tree, tree)),
  }))
  const treeMark = {}

  function isTree(value: unknown): value is Tree {
    return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === treeMark
  }

  function grown(planted: unknown): unknown {
    if (!isTree(planted)) return planted
    const { Class, message, name, fields, cause, errors } = planted
    const options = cause && { cause: grown(cause.value) }
    const error = errors ? new AggregateError(errors.map(grown), message, options) : new Class(message, options)
    if (name !== undefined) error.name = name
    for (const [key, content] of fields) {
      const descriptor = { value: grown(content), enumerable: true, writable: true, configurable: true }
      Object.defineProperty(error, key, descriptor)
    }
    return error
  }

  /** Whether a value is a clone of another. For Jest's comparison, an invalid date does not equal itself. */
  function same(clone: unknown, value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return Object.is(clone, value)
    if (typeof clone !== 'object' || clone === null || clone === value) return false
    const tag = Object.prototype.toString.call(value)
    if (Object.prototype.toString.call(clone) !== tag) return false
    if (value instanceof Date) return Object.is((clone as Date).getTime(), value.getTime())
    if (value instanceof Map || value instanceof Set) {
      return same([...(clone as Iterable<unknown>)], [...(value as Iterable<unknown>)])
    }
    // A clone has the prototype of its kind. A clone of an object without a prototype gets that of `Object`.
    if (Object.getPrototypeOf(clone) !== (Object.getPrototypeOf(value) ?? Object.prototype)) return false
    const keys = Object.keys(value)
    if (Array.isArray(value) && (clone as unknown[]).length !== value.length) return false
    return Object.keys(clone).join() === keys.join() && keys.every((key) => same(own(clone, key), own(value, key)))
  }

  function own(object: object, key: string): unknown {
    return Object.getOwnPropertyDescriptor(object, key)?.value
  }

  /** Compares the arrived error with its plan, not with the thrown error. So a fault cannot hide in both. */
  function check(arrived: unknown, planted: unknown): void {
    if (!isTree(planted)) {
      if (!same(arrived, planted)) expect(arrived).toBe(planted)
      return
    }
    const { Class, message, name, fields, cause, errors } = planted
    const prototype = errors ? AggregateError.prototype : Class.prototype
    expect(types.isNativeError(arrived)).toBe(true)
    const error = arrived as AggregateError
    expect(Object.getPrototypeOf(error)).toBe(prototype)
    expect(Object.getOwnPropertyDescriptor(error, 'message')?.value).toBe(message)
    expect(error.name).toBe(name ?? prototype.name)
    expect(Object.hasOwn(error, 'cause')).toBe(cause !== undefined)
    if (cause) check(error.cause, cause.value)
    expect(Object.hasOwn(error, 'errors')).toBe(errors !== undefined)
    errors?.forEach((each, index) => {
      check(error.errors[index], each)
    })
    // Integer keys always come first in an object.
    expect(Object.keys(error).sort()).toStrictEqual(fields.map(([key]) => key).sort())
    for (const [key, content] of fields) check(Object.getOwnPropertyDescriptor(error, key)?.value, content)
  }

  it('brings it whole', () => {
    let trees = 0
    fc.assert(
      fc.property(anything, (planted) => {
        if (isTree(planted)) trees++
        check(cross(grown(planted)), planted)
      }),
      { numRuns: times(200, 1000) },
    )
    expect(trees).toBeGreaterThan(50)
  })
})
