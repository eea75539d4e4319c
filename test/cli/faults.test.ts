/** What the command line says about an error, and the exit codes. */
import { imap, MillraceError } from 'millrace'
import { CheckpointError } from '#dist/errors.js'
import { exitCodeOf, faultText } from '#dist/cli/run/faults.js'
import { markStage } from '#dist/cli/run/stage-mark.js'
import { UsageError } from '#dist/cli/usage-error.js'

describe('the line of an error', () => {
  it('names the kind, and the stage', () => {
    expect(faultText(new TypeError('no'), undefined, false)).toBe('TypeError: no')
    expect(faultText(markStage(new TypeError('no'), 'parse'), undefined, false)).toBe('TypeError: no (in task parse)')
    expect(faultText(markStage(new TypeError('no'), '-e d.a'), undefined, false)).toBe('TypeError: no (in -e d.a)')
    expect(faultText('text', undefined, false)).toBe("thrown: 'text'")
  })

  it('names the item, also if no object was thrown', async () => {
    const fail = (): never => {
      throw 'text'
    }
    const stream = imap(fail, ['x'], { workers: 0 })
    const error: unknown = await stream.next().catch((error: unknown) => error)
    expect(faultText(error, stream, false)).toBe("item 0: thrown: 'text'")
  })

  it('is one line, which cannot change a terminal', () => {
    const error = new Error('red \x1b[31m\nnext\u2028\t')
    expect(faultText(error, undefined, false)).toBe('Error: red \\u001b[31m\\nnext\\u2028\\t')
    expect(faultText(error, undefined, true)).toMatch(/^Error: red .*\nError: red \\u001b\[31m\nnext.*\n {4}at /s)
  })

  it('tells why, where only the cause says it, and what to write', () => {
    const cause = new Error('connect ECONNREFUSED 127.0.0.1:1')
    const lines = [
      new TypeError('fetch failed', { cause }),
      new Error('it is: connect ECONNREFUSED 127.0.0.1:1', { cause }),
      new Error('no', { cause: 'text' }),
      new ReferenceError('$2 is not defined'),
      new ReferenceError('$0 is not defined'),
    ].map((error) => faultText(error, undefined, false))
    expect(lines).toEqual([
      'TypeError: fetch failed (connect ECONNREFUSED 127.0.0.1:1)',
      'Error: it is: connect ECONNREFUSED 127.0.0.1:1',
      'Error: no',
      'ReferenceError: $2 is not defined (for a field of a line: d.split(/\\s+/)[1])',
      'ReferenceError: $0 is not defined (the line is d)',
    ])
  })

  it('is the message alone of errors that say what they are', () => {
    expect(faultText(new MillraceError('Cannot list', 'ERR_NO_FILES'), undefined, false)).toBe('Cannot list')
    const system = Object.assign(new Error('ENOSPC: no space left'), { errno: -28, code: 'ENOSPC' })
    expect(faultText(system, undefined, false)).toBe('ENOSPC: no space left')
    const many = new MillraceError('Too many', 'ERR_TOO_MANY_ERRORS', {
      cause: markStage(new TypeError('no'), 'parse'),
    })
    expect(faultText(many, undefined, false)).toBe('Too many: TypeError: no (in task parse)')
  })
})

it('gives each end its exit code', () => {
  const codes = [
    new UsageError('wrong'),
    new MillraceError('', 'ERR_NO_FILES'),
    new MillraceError('', 'ERR_OUTPUT_IS_INPUT'),
    new MillraceError('', 'ERR_TOO_MANY_ERRORS'),
    new CheckpointError('', 'ERR_CHECKPOINT_LOCKED'),
    new CheckpointError('', 'ERR_NOT_RESUMABLE'),
    new TypeError(),
    undefined,
  ].map(exitCodeOf)
  expect(codes).toEqual([2, 2, 2, 4, 5, 5, 1, 1])
})
