import { File } from 'node:buffer'
import { EventEmitter } from 'node:events'
import { Socket } from 'node:net'
import { MessageChannel } from 'node:worker_threads'
import { notSerializable, nestsDeeperThan, unclonablePart } from '#dist/codec/clonable.js'
import { NotSerializableError } from '#dist/errors.js'

/** The error that cloning `value` throws. A test that expects a failure must get one. */
function failure(value: unknown): unknown {
  try {
    structuredClone(value)
  } catch (error) {
    return error
  }
  throw new Error('The value can be cloned')
}

/** The faulty part of a value that must not be clonable. */
function fault(value: unknown, name = 'item'): string | undefined {
  failure(value)
  return unclonablePart(value, name)
}

function run(): void {
  // It is only searched for.
}

function throwing(reason: unknown): object {
  return Object.defineProperty({}, 'total', {
    enumerable: true,
    get: () => {
      throw reason
    },
  })
}

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(8)
  structuredClone(buffer, { transfer: [buffer] })
  return buffer
}

/** A chain of `length` objects with `end` at its end. */
function chain(length: number, end: unknown): unknown {
  let chained = end
  for (let link = 0; link < length; link++) chained = { next: chained }
  return chained
}

function* generate(): Generator<number> {
  yield 1
}

class Job {
  id = 1
  start = run
}

describe('unclonablePart()', () => {
  const { port1 } = new MessageChannel()
  afterAll(() => {
    port1.close()
  })
  const faults: [string, unknown, string][] = [
    ['a function', run, 'item is a function'],
    ['a class', Job, 'item is a function'],
    ['a symbol', Symbol('s'), 'item is a symbol'],
    ['a function in an array', { handlers: [run] }, 'item.handlers[0] is a function'],
    ['a field whose name is no identifier', { 'a b': { '1': run } }, 'item["a b"]["1"] is a function'],
    ['a value in a map', new Map([['k', run]]), 'item.get("k") is a function'],
    ['a value in a map, under a number', new Map([[7, { run }]]), 'item.get(7).run is a function'],
    ['a key of a map', new Map([[run, 1]]), '[...item.keys()][0] is a function'],
    ['an element of a set', { all: new Set([1, { run }]) }, '[...item.all][1].run is a function'],
    ['the cause of an error', new Error('told', { cause: { run } }), 'item.cause.run is a function'],
    ["a field of a user's class", { job: new Job() }, 'item.job.start is a function'],
    ['a socket', { socket: new Socket() }, 'item.socket is an instance of Socket'],
    [
      'an emitter of a class of its own',
      [new (class Bus extends EventEmitter {})().on('x', run)],
      'item[0] is an instance of Bus',
    ],
    ['a port', { port: port1 }, 'item.port is an instance of MessagePort'],
    ['a promise', [Promise.resolve()], 'item[0] is an instance of Promise'],
    ['a weak map', { cache: new WeakMap() }, 'item.cache is an instance of WeakMap'],
    ['an iterator', { all: [1].values() }, 'item.all is an instance of Array Iterator'],
    ['a generator', { all: generate() }, 'item.all is an instance of Generator'],
    ['a proxy', { config: new Proxy({}, {}) }, 'item.config is a Proxy'],
    ['a boxed symbol', Object(Symbol('s')), 'item is an instance of Symbol'],
    ['a detached buffer', { bytes: detached() }, 'item.bytes is a detached ArrayBuffer'],
    [
      'a view of a detached buffer',
      (() => {
        const bytes = new Uint8Array(8)
        structuredClone(bytes, { transfer: [bytes.buffer] })
        return { bytes }
      })(),
      'item.bytes is a detached Uint8Array',
    ],
    ['a getter that throws', throwing(new Error('boom')), "item.total has a getter that threw 'boom'"],
    ['a getter that throws no error', throwing(7), "item.total has a getter that threw '7'"],
  ]
  it.each(faults)('names %s', (_, value, text) => {
    expect(fault(value)).toBe(text)
  })

  it('calls the whole by the name it is given', () => {
    expect(fault({ fn: run }, 'result')).toBe('result.fn is a function')
  })

  it('finds nothing in values that can be cloned', () => {
    const buffer = new ArrayBuffer(0)
    const values = [1, null, undefined, 'text', [1, , 2], new Date(), /x/, new Map(), buffer, new Uint8Array(buffer)]
    const value = { values, error: Object.assign(new Error('told'), { run }), bytes: Buffer.from('abc') }
    structuredClone(value)
    expect(unclonablePart(value, 'item')).toBeUndefined()
  })

  it('does not go round in a circle', () => {
    const value: Record<string, unknown> = { list: [] as unknown[], map: new Map() }
    ;(value.list as unknown[]).push(value)
    ;(value.map as Map<unknown, unknown>).set(value, value)
    expect(unclonablePart(value, 'item')).toBeUndefined()
    value.last = run
    expect(fault(value)).toBe('item.last is a function')
  })

  it('looks at a shared part once', () => {
    let shared: object = { run }
    for (let level = 0; level < 40; level++) shared = { left: shared, right: shared }
    expect(unclonablePart(shared, 'item')).toMatch(/^item(\.left)+.*….*\.run is a function$/)
  })

  it('finds a part behind a million numbers, and behind a large branch', () => {
    const rows = Array.from({ length: 20_000 }, (_, row) => ({ row }))
    expect(fault({ numbers: new Array(900_000).fill(1), run })).toBe('item.run is a function')
    expect(fault({ rows, run })).toBe('item.run is a function')
  })

  it('gives up on a part that is hidden behind too many others', () => {
    expect(fault([...Array.from({ length: 20_000 }, (_, row) => ({ row })), run])).toBeUndefined()
  })

  it('names a part far down by both ends of its path', () => {
    const text = unclonablePart(chain(5000, { handlers: [run] }), 'item')
    expect(text).toMatch(/^item(\.next)+.{0,5}….{0,5}(\.next)+\.handlers\[0\] is a function$/)
    expect(text?.length).toBeLessThan(230)
    expect(unclonablePart(chain(100_000, run), 'item')).toBeUndefined()
  })

  it('does not touch a proxy', () => {
    const refuse = (): never => {
      throw new Error('touched')
    }
    const handler = new Proxy({}, { get: refuse })
    expect(unclonablePart({ a: new Proxy({}, handler) }, 'item')).toBe('item.a is a Proxy')
  })

  it('gives up when a prototype throws', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(unclonablePart({ odd: Object.create(proxy) as unknown, run }, 'item')).toBe('item.run is a function')
    expect(unclonablePart({ odd: Object.create(proxy) as unknown }, 'item')).toBeUndefined()
  })

  it('shortens the error of a getter', () => {
    const text = fault(throwing(new Error(`boom\n${'x'.repeat(1000)}`)))
    expect(text).toMatch(/^item\.total has a getter that threw 'boom x+…x+'$/)
  })
})

describe('notSerializable()', () => {
  it('says which item cannot be sent, and what to do', () => {
    const item = { handlers: [run] }
    const cause = failure(item)
    const error = notSerializable('item', 17, item, cause)
    expect(error).toBeInstanceOf(NotSerializableError)
    expect(error.code).toBe('ERR_NOT_SERIALIZABLE')
    expect(error.message).toBe(
      'Cannot send item 17 to a worker as item.handlers[0] is a function: send plain data and open handles inside the task',
    )
    expect(error.cause).toBe(cause)
  })

  it('says whose result cannot be returned', () => {
    const result = { fn: run }
    expect(notSerializable('result', 0, result, failure(result)).message).toBe(
      'Cannot return the result of item 0 as result.fn is a function: return plain data and close handles inside the task',
    )
  })

  it('keeps the error of a getter as the cause', () => {
    const boom = new Error('boom')
    const item = throwing(boom)
    const error = notSerializable('item', 3, item, failure(item))
    expect(error.cause).toBe(boom)
    expect(error.message).toContain("as item.total has a getter that threw 'boom': send plain data")
  })

  it('falls back to the error of cloning, shortened', () => {
    const item = [...Array.from({ length: 20_000 }, (_, row) => ({ row })), run]
    const text = notSerializable('item', 1, item, failure(item)).message
    expect(text).toMatch(
      /^Cannot send item 1 to a worker as it cannot be cloned \(function run.+…? could not be cloned\.\): /,
    )
    expect(text.length).toBeLessThan(250)
    const deep = chain(100_000, 1)
    expect(notSerializable('item', 1, deep, failure(deep)).message).toContain('(Maximum call stack size exceeded)')
  })
})

describe('classes that would lose their state', () => {
  class Secret {
    x = 1
    readonly #key = 2
    get key(): number {
      return this.#key
    }
  }
  class Methods {
    x = 1
    get y(): string {
      // In a comment: #z = 1
      return `${this.#z()} #z = 2`
    }
    #z(): number {
      return this.x
    }
  }
  /** With private fields of another class. */
  class Maker {
    x = 1
    make(): object {
      return new (class {
        readonly #inner = 1
        has(other: object): boolean {
          return #inner in other
        }
      })()
    }
  }
  // In the form that a minifier writes.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
  const Dense = new Function("return class{a=/'/;#x=1;b='c';y(){return this.#x}}")() as new () => object

  it.each<[string, object, string | undefined]>([
    ['private fields', new Secret(), 'item is an instance of Secret, whose private field #key would be lost'],
    [
      'inherited private fields',
      new (class More extends Secret {})(),
      'item is an instance of More, whose private field #key would be lost',
    ],
    [
      'private fields of a minified class',
      new Dense(),
      'item is an instance of Dense, whose private field #x would be lost',
    ],
    ['private methods alone', new Methods(), undefined],
    ['private fields of another class', new Maker(), undefined],
    ['an emitter', new EventEmitter(), 'item is an instance of EventEmitter, whose listeners would be lost'],
    ['a URL', new URL('http://localhost/'), 'item is an instance of URL, which would arrive empty'],
  ])('are found by %s', (_, value, text) => {
    expect(unclonablePart(value, 'item')?.replace('instance of Object', 'instance of Dense')).toBe(text)
  })

  it.each([
    ['a File', new File(['x'], 'name'), 'item is an instance of File, which would arrive as a Blob'],
    [
      'a DOMException',
      new DOMException('told', 'AbortError'),
      'item is an instance of DOMException, which would arrive empty',
    ],
  ])('are found by %s where this Node cannot clone it', (_, value, text) => {
    const isCloned = Object.getPrototypeOf(structuredClone(value)) === Object.getPrototypeOf(value)
    expect(unclonablePart(value, 'item')).toBe(isCloned ? undefined : text)
  })

  it('are named with what to send instead', () => {
    const texts = [new URL('http://localhost/'), generate(), Promise.resolve(), new Secret()].map(
      (value) => notSerializable('result', 0, value, undefined).message.split(': ')[1],
    )
    expect(texts).toEqual([
      'return its href',
      'return an array of its elements, or give them one by one with flatMap()',
      'await it, and return its value',
      'return plain data, and make the instance on the thread that receives it',
    ])
  })
})

describe('nestsDeeperThan()', () => {
  it('counts the levels of a value', () => {
    expect(nestsDeeperThan(3, chain(3, 1))).toBe(false)
    expect(nestsDeeperThan(3, chain(4, 1))).toBe(true)
    expect(nestsDeeperThan(3, chain(1_000_000, 1))).toBe(true)
    expect(nestsDeeperThan(0, 1)).toBe(false)
  })

  it('counts as cloning recurses: through maps, sets, arrays and causes, and once per object', () => {
    const value = new Map([[1, new Set([[new Error('told', { cause: [1] })]])]])
    expect(nestsDeeperThan(5, value)).toBe(false)
    expect(nestsDeeperThan(4, value)).toBe(true)
    // Shallow by the shortest way, but cloning takes the long way.
    const nodes = Array.from({ length: 50 }, (): { next?: unknown } => ({}))
    nodes.forEach((node, index) => (node.next = nodes[index + 1]))
    expect(nestsDeeperThan(50, nodes)).toBe(true)
    expect(nestsDeeperThan(51, nodes)).toBe(false)
  })
})
