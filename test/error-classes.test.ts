/** Error classes of the user between threads: `registerErrorClass()`; and the base class of the library's errors. */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { failure, imap, MillraceError, Pool, registerErrorClass, type Outcome } from 'millrace'
import { BrokenBarrierError, Process, Queue } from 'millrace/multiprocessing'
import { registerErrorClass as registerInTasks } from 'millrace/task'
import { decodeError } from '#dist/codec/error-codec/decode.js'
import { encodeError } from '#dist/codec/error-codec/encode.js'
import type { EncodedError } from '#dist/codec/error-codec/types.js'
import * as own from '#dist/errors.js'
import { BusyError, HttpError, makers, ParseError, raises } from './fixtures/own-errors.js'
import { drain, inEveryWay, rejection, ways } from './support/matrix.js'

const pool = new Pool({ workers: 2 })
const { port1, port2 } = new MessageChannel()
afterAll(async () => {
  port1.close()
  await pool.terminate()
})

function arrived(error: Error): Error {
  port1.postMessage(encodeError(error))
  const { message } = receiveMessageOnPort(port2) as { message: EncodedError }
  return decodeError(message) as Error
}

/** The error that `body` throws. */
function thrownBy(body: () => unknown): unknown {
  try {
    body()
  } catch (error) {
    return error
  }
  throw new Error('Nothing was thrown')
}

describe('an instance of a registered error class', () => {
  inEveryWay('comes out of a stream as an instance, with all it has', ways(pool), async (way) => {
    const error = await rejection(drain(way.open('imap', raises, ['http'])))
    if (!(error instanceof HttpError)) throw error as Error
    expect([error.constructor, error.name, error.code, error.status]).toEqual([HttpError, 'HttpError', 'E_HTTP', 503])
    expect([error.message, error.isTemporary]).toEqual(['The server answered 503', true])
    expect(error.stack).toMatch(/^HttpError: The server answered 503\n {4}at .*own-errors/)
    expect(error.cause).toBeInstanceOf(HttpError)
    expect((error.cause as HttpError).isTemporary).toBe(false)
    expect(failure(error)).toMatchObject({ index: 0, item: 'http', task: 'raises' })
  })

  it('is the reason of an outcome, and the argument of `retries.when`', async () => {
    const asked: unknown[] = []
    const when = (error: unknown): boolean => asked.push(error) < 2
    const retries = { attempts: 3, minDelay: 0, when }
    const [outcome] = await drain(pool.imap(raises, ['http'] as const, { errors: 'settle', retries }))
    const { status, reason } = outcome as Outcome<never, unknown> & { status: 'rejected' }
    expect([status, reason instanceof HttpError]).toEqual(['rejected', true])
    expect(asked.map((error) => error instanceof HttpError && error.isTemporary)).toEqual([true, true])
  })

  it('is the error of a process', async () => {
    const child = new Process({ target: raises, args: ['http'] })
    child.start()
    await child.join()
    expect(child.error).toBeInstanceOf(HttpError)
  })

  it('goes through a queue', async () => {
    const queue = new Queue<Error>()
    await queue.put(makers.parse())
    expect(await queue.get()).toBeInstanceOf(ParseError)
  })

  it('is the reason of a signal', async () => {
    expect(arrived(makers.parse())).toBeInstanceOf(ParseError)
    const stream = pool.imap(raises, ['http'] as const, { signal: AbortSignal.abort(makers.http()) })
    expect(await rejection(drain(stream))).toBeInstanceOf(HttpError)
  })

  it('arrives without a call of the constructor', () => {
    const error = makers.http()
    const { made } = HttpError
    expect(arrived(error)).toBeInstanceOf(HttpError)
    expect(HttpError.made).toBe(made)
  })

  it('has the name under which it was registered, and arrives as its nearest registered class', async () => {
    const [parse, busy] = await drain(pool.imap(raises, ['parse', 'busy'] as const, { errors: 'settle' }))
    const reasons = [parse, busy].map((each) => (each as { reason?: unknown }).reason)
    expect(reasons[0]).toBeInstanceOf(ParseError)
    expect(reasons[0]).toMatchObject({ line: 7, message: 'not valid' })
    expect(Object.getPrototypeOf(reasons[1])).toBe(HttpError.prototype)
    expect(reasons[1]).not.toBeInstanceOf(BusyError)
    expect(reasons[1]).toMatchObject({ name: 'BusyError', status: 503 })
  })

  it('arrives as the nearest class that the receiver knows', () => {
    const known = encodeError(makers.http())
    const [error] = known.errors
    const unknown = {
      ...known,
      errors: [{ ...error, kinds: ['NowhereError', ...error.kinds] }, ...known.errors.slice(1)],
    }
    expect(decodeError(unknown)).toBeInstanceOf(HttpError)
    const strange = {
      ...known,
      errors: [{ ...error, kinds: ['NowhereError', 'RangeError'] }, ...known.errors.slice(1)],
    }
    const decoded = decodeError(strange) as Error
    expect([Object.getPrototypeOf(decoded), decoded.name]).toEqual([RangeError.prototype, 'HttpError'])
  })

  it('may extend a class of the library, or a DOMException', () => {
    class RefusedError extends MillraceError {}
    class StoppedError extends DOMException {}
    registerErrorClass(RefusedError)
    registerErrorClass(StoppedError)
    const refused = arrived(new RefusedError('no', 'ERR_NOT_OWNER'))
    expect(refused).toBeInstanceOf(RefusedError)
    expect(refused).toMatchObject({ code: 'ERR_NOT_OWNER' })
    const stopped = arrived(new StoppedError('stop', 'AbortError'))
    expect([stopped instanceof StoppedError, stopped.name, stopped.message]).toEqual([true, 'AbortError', 'stop'])
    expect((stopped as DOMException).code).toBe(20)
  })

  it('arrives although its accessors throw without the constructor', () => {
    class SecretError extends Error {
      readonly #kind = 'secret'
      override get name(): string {
        return this.#kind
      }
      override toString(): string {
        return this.#kind
      }
    }
    registerErrorClass(SecretError)
    const error = new SecretError('told')
    delete error.stack
    const decoded = arrived(error)
    expect(decoded).toBeInstanceOf(SecretError)
    expect([decoded.name, decoded.message]).toEqual(['secret', 'told'])
    expect(() => String(decoded)).toThrow(TypeError)
  })

  it('is not taken for one by its name alone', () => {
    const namesake = Object.defineProperty(class extends Error {}, 'name', { value: 'HttpError' })
    expect(arrived(new namesake('told'))).not.toBeInstanceOf(HttpError)
  })
})

describe('registerErrorClass()', () => {
  it('is the same from both entries', () => {
    expect(registerInTasks).toBe(registerErrorClass)
  })

  it('takes a class again, and one that is evaluated again', () => {
    const evaluated = (): new (text: string) => Error => class AgainError extends Error {}
    const [first, second] = [evaluated(), evaluated()]
    registerErrorClass(first)
    registerErrorClass(first)
    registerErrorClass(second)
    expect(arrived(new first('old'))).toBeInstanceOf(second)
    expect(arrived(new second('new'))).toBeInstanceOf(second)
  })

  it('refuses a second class of a name, and a second name of a class', () => {
    class HttpError extends Error {
      readonly other = true
    }
    expect(
      thrownBy(() => {
        registerErrorClass(HttpError)
      }),
    ).toMatchObject({
      message:
        "Cannot register an error class as another class is registered as 'HttpError': pass another { name }, the same on all threads",
      code: 'ERR_INVALID_ARGUMENTS',
    })
    registerErrorClass(HttpError, { name: 'other.HttpError' })
    expect(arrived(new HttpError('told'))).toBeInstanceOf(HttpError)
    expect(
      thrownBy(() => {
        registerErrorClass(HttpError, { name: 'third.HttpError' })
      }),
    ).toMatchObject({
      message: "Cannot register an error class as it is registered as 'other.HttpError' already: register it once",
    })
  })

  it.each([
    ['no class', undefined, undefined, 'it must be a class that extends Error: received undefined'],
    ['an instance', new Error('told'), undefined, 'it must be a class that extends Error: received Error: told'],
    ['another class', Map, undefined, 'it must be a class that extends Error: received [Function: Map]'],
    ['an arrow', () => 1, undefined, 'it must be a class that extends Error: received [Function (anonymous)]'],
    [
      'one of JavaScript',
      RangeError,
      undefined,
      "'RangeError' is a built-in class or a class of millrace: pass another { name }",
    ],
    [
      'one of millrace',
      BrokenBarrierError,
      undefined,
      "'BrokenBarrierError' is a built-in class or a class of millrace: pass another { name }",
    ],
    [
      'a name of millrace',
      class B extends Error {},
      { name: 'LineError' },
      "'LineError' is a built-in class or a class of millrace: pass another { name }",
    ],
    [
      'a class without a name',
      (() => class extends Error {})(),
      undefined,
      'it has no name: pass { name }, a string of 1 to 1000 characters',
    ],
    [
      'an empty name',
      class C extends Error {},
      { name: '' },
      "'name' must be a string of 1 to 1000 characters: received ''",
    ],
    [
      'a name that is no text',
      class D extends Error {},
      { name: 5 },
      "'name' must be a string of 1 to 1000 characters: received 5",
    ],
    ['another option', class E extends Error {}, { names: 'E' }, "it has no option 'names': the options are name"],
  ])('refuses %s, at the line of the call', (_, Class, options, reason) => {
    const error = thrownBy(() => {
      registerErrorClass(Class as never, options as never)
    }) as TypeError
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toBe(`Cannot register an error class as ${reason}`)
    expect(error.stack?.split('\n')[1]).toContain('error-classes.test')
  })
})

describe('MillraceError', () => {
  it('is the base of the errors of the library, on each thread', async () => {
    for (const error of [new own.PoolClosedError('told', 'ERR_POOL_CLOSED'), new own.NotSerializableError('told')]) {
      expect([error instanceof own.MillraceError, arrived(error) instanceof own.MillraceError]).toEqual([true, true])
    }
    const load = await rejection(drain(imap({ module: 'node:zlib', export: 'unzipp' }, [1])))
    expect([load instanceof MillraceError, (load as MillraceError).code]).toEqual([true, 'ERR_TASK_LOAD'])
    const state = await rejection(new Process({ target: raises, args: ['http'] }).join())
    expect([state instanceof MillraceError, (state as MillraceError).code]).toEqual([true, 'ERR_PROCESS_STATE'])
  })

  it('is not the base of errors of wrong calls, which have a code', () => {
    const wrong = thrownBy(() => imap(raises, ['http'] as const, { window: 0 }))
    expect([wrong instanceof RangeError, wrong instanceof MillraceError]).toEqual([true, false])
    expect(wrong).toMatchObject({ code: 'ERR_INVALID_OPTION' })
  })

  it('arrives as itself where the receiver does not know a class that extends it', () => {
    const encoded = encodeError(new own.TaskTimeoutError('told'))
    const [error] = encoded.errors
    expect(error.kinds).toEqual(['TaskTimeoutError', 'MillraceError', 'Error'])
    const decoded = decodeError({ ...encoded, errors: [{ ...error, kinds: ['NewError', ...error.kinds.slice(1)] }] })
    expect([Object.getPrototypeOf(decoded), (decoded as own.MillraceError).code]).toEqual([
      own.MillraceError.prototype,
      'ERR_TASK_TIMEOUT',
    ])
  })
})
