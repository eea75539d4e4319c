/** `commit()`: what a transaction has, how runs go on, and how they end. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { MillraceError } from '#dist/errors.js'
import { lines } from '#dist/io/lines.js'
import { pipe } from '#dist/pipe.js'
import { commit } from '#dist/sinks/commit.js'
import { rejects } from '#dist/sinks/rejects.js'
import { csv } from '#dist/sources/csv.js'
import { files } from '#dist/sources/files.js'
import { resumable } from '#dist/sources/resumable.js'
import { batch } from '#dist/verbs/batch.js'
import { filter } from '#dist/verbs/filter.js'
import { flatMap } from '#dist/verbs/flat-map.js'
import { imap } from '#dist/verbs/imap.js'
import { useFolder } from '../sinks/folder.js'
import { failingSource, markedSource } from '../support/marked-source.js'
import { watchRejections } from '../support/rejections.js'
import { SimulatedDatabase } from '../support/simulated-database.js'

const folder = useFolder()
watchRejections()

const here = { workers: 0 } as const
const double = (n: number): number => 2 * n
const numbers = Array.from({ length: 1_000 }, (_, n) => n)

let database: SimulatedDatabase
beforeEach(() => {
  database = new SimulatedDatabase()
})

function sums(): { rows: number; largest: number } {
  const { transactions } = database
  return { rows: transactions.reduce((sum, n) => sum + n, 0), largest: Math.max(...transactions) }
}

describe('a transaction', () => {
  it('has exactly the items that are asked for, without a stage', async () => {
    const result = await commit(database, { items: 300 })(numbers)
    expect(database.transactions).toEqual([300, 300, 300, 100])
    expect(database.rows).toEqual(numbers)
    expect(result).toEqual({
      read: 1_000,
      written: 1_000,
      rejected: 0,
      skipped: 0,
      bytesRead: 0,
      commits: 4,
      duration: expect.any(Number) as number,
      resumed: false,
    })
  })

  it.each([1, 20, 70])('has at most a window more: %s', async (window) => {
    const source = markedSource(numbers, 16)
    await commit(database, { items: 50 })(imap(double, source, { ...here, window }))
    expect(database.rows).toEqual(numbers.map(double))
    expect(sums().largest).toBeLessThanOrEqual(50 + window)
    expect(database.transactions.length).toBeGreaterThanOrEqual(Math.floor(1_000 / (50 + window)))
  })

  it('is made after a while with fewer items, and a position alone where all were left out', async () => {
    const committed = new Promise<void>((resolve) => {
      const store = database.commit.bind(database)
      database.commit = async (...args) => {
        const isStored = await store(...args)
        resolve()
        return isStored
      }
    })
    const source = resumable(async function* (from: number | undefined) {
      if (from === undefined) yield [1, 1] as const
      await committed
      yield [2, 2] as const
    })
    await commit(database, { interval: 1 })(filter((n: number) => n === 2, source, here))
    expect(database.transactions).toEqual([0, 1])
  })

  it('gets the position before it, and the next one', async () => {
    const calls: (readonly [string, string | null])[] = []
    await commit(
      {
        position: () => undefined,
        commit: (_, position, { previous }) => {
          calls.push([position, previous])
        },
      },
      { items: 400 },
    )(numbers)
    expect(calls.map(([, previous]) => previous)).toEqual([null, calls[0]?.[0], calls[1]?.[0]])
  })
})

it('can be shown, and recorded in a report: of the run, and not of those before', async () => {
  const input = folder.at('numbers.txt')
  writeFileSync(input, numbers.map((n) => `${n}\n`).join(''))
  const written = jest.spyOn(process.stderr, 'write').mockImplementation(((_: string, done?: () => void) => {
    done?.()
    return true
  }) as typeof process.stderr.write)
  try {
    const options = { progress: 'json', report: folder.at('run.json') } as const
    const clean = (line: string): string => {
      if (line === '7') throw new Error('no')
      return line
    }
    const load = (): Promise<unknown> =>
      commit(database, options)(imap(clean, lines(input), { ...here, errors: 'skip' }))
    await load()
    const last = JSON.parse(String(written.mock.calls.at(-1)?.[0])) as object
    expect(last).toMatchObject({ items: 1_000, failed: 1 })
    const { run, totals, outputs, inputs } = JSON.parse(folder.read('run.json')) as Record<string, object>
    expect(run).toMatchObject({ end: 'done' })
    expect(totals).toMatchObject({ items: 1_000, results: 999, failed: 1 })
    expect({ outputs, inputs }).toMatchObject({ outputs: [], inputs: [{ path: input }] })

    database.commit = () => Promise.reject(new Error('no space'))
    appendFileSync(input, 'more\n')
    await expect(load()).rejects.toThrow('no space')
    const { run: failed, totals: rest } = JSON.parse(folder.read('run.json')) as Record<string, object>
    expect({ failed, rest }).toMatchObject({ failed: { end: 'failed' }, rest: { items: 1 } })
  } finally {
    written.mockRestore()
  }
})

it.each([
  [{ progress: 'loud' }, "'progress' must be true or false or 'plain' or 'json'"],
  [{ report: 'run.txt' }, "'report' must be"],
])('refuses %j', (options, message) => {
  expect(() => commit(database, options as never)).toThrow(message)
})

describe('a run after another one', () => {
  it('goes on behind the last transaction, with the figures of both', async () => {
    const clean = (n: number): number => {
      if (n % 10 === 0) throw new Error('no')
      return n
    }
    const options = { items: 100 } as const
    const run = (stop?: number): Promise<unknown> =>
      commit(database, options)(imap(clean, failingSource(numbers, 16, stop), { ...here, errors: 'skip', window: 30 }))
    await expect(run(500)).rejects.toThrow('stopped')
    const { length } = database.rows
    expect(length).toBeGreaterThan(200)
    const { length: commits } = database.transactions
    expect(await run()).toMatchObject({ read: 1_000, written: 900, skipped: 100, resumed: true })
    expect(database.rows).toEqual(numbers.filter((n) => n % 10 > 0))
    expect(await run()).toMatchObject({ read: 1_000, written: 900, commits: database.transactions.length })
    expect(database.transactions.length).toBeGreaterThan(commits)
  })

  it('reads what the last file and new files have got since, and nothing else', async () => {
    const path = folder.at('a.csv')
    writeFileSync(path, 'id,name\n1,a\n2,b\n')
    const load = async (): Promise<unknown> => {
      await pipe(
        csv(files(folder.at('*.csv'))),
        imap(({ id, name }) => `${id}${name}`, here),
        commit<string>(database),
      )
      return database.rows
    }
    expect(await load()).toEqual(['1a', '2b'])
    expect(await load()).toEqual(['1a', '2b'])
    expect(database.transactions).toEqual([2])
    appendFileSync(path, '3,c\n4,d\n')
    expect(await load()).toEqual(['1a', '2b', '3c', '4d'])
    writeFileSync(folder.at('b.csv'), 'id,name\n5,e\n')
    expect(await load()).toEqual(['1a', '2b', '3c', '4d', '5e'])
    expect(database.transactions).toEqual([2, 2, 1])
  })

  it.each<readonly [string, () => unknown, unknown[]]>([
    ['batch', () => batch(3)(markedSource([1, 2, 3, 4], 2)), [[1, 2, 3], [4]]],
    ['take', () => imap(double, markedSource([1, 2, 3, 4], 2), here).take(3), [2, 4, 6]],
    ['drop', () => imap(double, markedSource([1, 2, 3, 4], 2), here).drop(1), [4, 6, 8]],
    ['flatMap', () => flatMap((n: number) => [n, n], markedSource([1, 2], 2), here), [1, 1, 2, 2]],
    ['an empty source', () => imap(double, markedSource([], 2), here), []],
  ])('commits nothing more where all is done: %s', async (_, make, rows) => {
    for (let run = 0; run < 3; run++) {
      await commit(database)(make() as AsyncIterable<unknown>)
      expect(database.rows).toEqual(rows)
      expect(database.transactions).toEqual([rows.length])
    }
  })

  it('keeps the file of failed items while there is nothing new, and then makes another one', async () => {
    const values = [1, 2, 3]
    const fails = (n: number): number => {
      if (n % 2 === 0) throw new Error(`no ${n}`)
      return n
    }
    const load = (): Promise<unknown> =>
      commit(database)(imap(fails, values, { ...here, errors: rejects(folder.at('bad.ndjson')) }))
    const failed = (): unknown[] =>
      folder
        .read('bad.ndjson')
        .split('\n')
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as { index: number; item: number }).item)
    await load()
    expect([database.transactions, failed()]).toEqual([[2, 0], [2]])
    await load()
    expect([database.transactions, failed()]).toEqual([[2, 0], [2]])
    values.push(4, 5, 6)
    expect(await load()).toMatchObject({ read: 6, written: 3, rejected: 3 })
    expect([database.rows, failed()]).toEqual([
      [1, 3, 5],
      [4, 6],
    ])
    expect(folder.files()).toEqual(['bad.ndjson'])
  })
})

describe('a run that cannot go on', () => {
  const load = (source: unknown, task = double, options = {}): Promise<unknown> =>
    commit(database, options)(imap(task, source as number[], here))

  it.each<readonly [string, () => Promise<unknown>, string, RegExp]>([
    ['other values', () => load([0, 5, 2]), 'ERR_CHECKPOINT_INPUT', /the array must begin with the same 3 values/],
    [
      'another stage',
      () => commit(database)(filter(double, [0, 1, 2], here)),
      'ERR_CHECKPOINT_PLAN',
      /^Cannot go on from the stored position as .*'stages.0.verb' was 'map', and is 'filter'.*remove the stored position/,
    ],
    ['another task', () => load([0, 1, 2], (n) => n), 'ERR_CHECKPOINT_PLAN', /'stages.0.task'/],
  ])('refuses %s', async (_, run, code, message) => {
    await load([0, 1, 2])
    await expect(run()).rejects.toMatchObject({
      name: 'CheckpointError',
      code,
      message: expect.stringMatching(message) as string,
    })
    expect(database.rows).toEqual([0, 2, 4])
  })

  it('refuses other code, unless that is allowed', async () => {
    const values = [1, 2]
    const one = { double: (n: number) => 2 * n }.double
    const other = { double: (n: number) => 3 * n }.double
    await load(values, one)
    values.push(3)
    await expect(load(values, other)).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_CODE' })
    await load(values, other, { allowChangedCode: true })
    expect(database.rows).toEqual([2, 4, 9])
  })

  it.each<readonly [string, string, string]>([
    ['what is not JSON', 'x', 'ERR_CHECKPOINT_DAMAGED'],
    ['nothing', '', 'ERR_CHECKPOINT_DAMAGED'],
    ['other JSON', '{"version":1}', 'ERR_CHECKPOINT_DAMAGED'],
    ['a newer version', '{"version":9}', 'ERR_CHECKPOINT_VERSION'],
  ])('refuses a position that is %s', async (_, position, code) => {
    const run = commit({ position: () => position, commit: fail })(numbers)
    await expect(run).rejects.toMatchObject({ code })
  })

  it('refuses a position that was changed, and one that is no text', async () => {
    await load([1])
    const changed = (database.stored ?? '').replace('"written":1', '"written":2')
    expect(changed).not.toBe(database.stored)
    await expect(commit({ position: () => changed, commit: fail })([1])).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_DAMAGED',
    })
    const parsed = JSON.parse(changed) as string
    await expect(commit({ position: () => parsed, commit: fail })([1])).rejects.toMatchObject({
      code: 'ERR_INVALID_RESULT',
      message: expect.stringContaining('(store it as text)') as string,
    })
  })

  it('refuses a source that can only begin at its start, and closes it', async () => {
    let isClosed = false
    const source = (function* () {
      try {
        yield 1
      } finally {
        isClosed = true
      }
    })()
    source.next()
    await expect(commit(database)(source)).rejects.toMatchObject({ code: 'ERR_NOT_RESUMABLE' })
    expect(isClosed).toBe(true)
  })
})

function fail(): never {
  throw new Error('Nothing is to be committed')
}

/** A source that says whether it was closed. It does not end. */
function endless(): { source: AsyncIterable<number>; isClosed: () => boolean } {
  let isClosed = false
  const source = resumable(function* (from: number | undefined) {
    try {
      for (let n = from ?? 0; ; n++) yield [n, n + 1] as const
    } finally {
      isClosed = true
    }
  })
  return { source, isClosed: () => isClosed }
}

describe('a run that ends early', () => {
  it('throws the error of the transaction, and closes the source', async () => {
    const { source, isClosed } = endless()
    const error = new MillraceError('the disk is full', 'ERR_INVALID_RESULT')
    const target = { position: () => null, commit: () => Promise.reject(error) }
    await expect(commit(target)(imap(double, source, here))).rejects.toBe(error)
    expect(isClosed()).toBe(true)
  })

  it('ends if another run has moved the position', async () => {
    const { source, isClosed } = endless()
    const other = JSON.stringify('other')
    let stored: string | null = null
    const run = commit(
      {
        position: () => null,
        commit: (_items, _position, { previous }) => {
          if (stored !== previous) return false
          stored = other
          return true
        },
      },
      { items: 10 },
    )(source)
    await expect(run).rejects.toMatchObject({ name: 'CheckpointError', code: 'ERR_CHECKPOINT_LOCKED' })
    expect(isClosed()).toBe(true)
  })

  it('refuses a second run while the first writes the same file of failed items', async () => {
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const errors = { ...here, errors: rejects(folder.at('bad.ndjson')) }
    // It asks for the position when it has the lock of the file.
    let begin = (): void => undefined
    const begun = new Promise<void>((resolve) => (begin = resolve))
    const position = (): null => {
      begin()
      return null
    }
    const first = commit({ position, commit: () => held })(imap(double, [1], errors))
    await begun
    await expect(commit(database)(imap(double, [1], errors))).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_LOCKED' })
    release()
    await first
    expect(readFileSync(folder.at('bad.ndjson'), 'utf8')).toBe('')
    expect(folder.files()).toEqual(['bad.ndjson'])
  })

  it('waits for the transaction that is under way when a signal fires', async () => {
    const { source, isClosed } = endless()
    const controller = new AbortController()
    let release = (): void => undefined
    let isDone = false
    const target = {
      position: () => null,
      commit: async () => {
        controller.abort('enough')
        await new Promise<void>((resolve) => (release = resolve))
        isDone = true
      },
    }
    const run = commit(target, { signal: controller.signal })(source)
    await new Promise<void>((resolve) => {
      controller.signal.addEventListener('abort', () => {
        setImmediate(resolve)
      })
    })
    release()
    await expect(run).rejects.toBe('enough')
    expect([isDone, isClosed()]).toEqual([true, true])
  })

  it('drops what is in no transaction when a signal fires', async () => {
    const controller = new AbortController()
    const source = resumable(async function* () {
      yield [1, 1] as const
      setImmediate(() => {
        controller.abort('enough')
      })
      await new Promise(() => {})
    })
    await expect(commit(database, { signal: controller.signal })(source)).rejects.toBe('enough')
    expect(database.transactions).toEqual([])
  })

  it('asks nothing where the signal has fired before', async () => {
    const run = commit({ position: () => null, commit: fail }, { signal: AbortSignal.abort('before') })(numbers)
    await expect(run).rejects.toBe('before')
  })

  it('throws the error of a record that cannot be read, after what is committed', async () => {
    writeFileSync(folder.at('a.csv'), 'id\n1\n2\n3\n"4"x\n')
    const run = commit(database, { items: 2 })(csv(folder.at('a.csv')))
    await expect(run).rejects.toMatchObject({ name: 'RecordError' })
    expect(database.rows).toEqual([{ id: '1' }, { id: '2' }])
  })

  it('keeps the file of failed items if a transaction fails, as it may be stored', async () => {
    const fails = (): never => {
      throw new Error('no')
    }
    const load = (): Promise<unknown> =>
      commit(database)(imap(fails, [1, 2], { ...here, errors: rejects(folder.at('bad.ndjson')) }))
    const store = database.commit.bind(database)
    database.commit = async (...args) => {
      await store(...args)
      throw new Error('the connection is lost')
    }
    await expect(load()).rejects.toThrow('the connection is lost')
    expect(folder.files()).toEqual(['bad.ndjson.part'])
    database.commit = store
    expect(await load()).toMatchObject({ read: 2, rejected: 2, resumed: true })
    expect(folder.files()).toEqual(['bad.ndjson'])
    expect(folder.read('bad.ndjson').split('\n').length).toBe(3)
  })

  it('removes the file of failed items, if nothing is committed', async () => {
    const fails = (): never => {
      throw new Error('no')
    }
    const source = failingSource([1, 2], 1, 1)
    const errors = { ...here, errors: rejects(folder.at('bad.ndjson')) }
    await expect(commit(database)(imap(fails, source, errors))).rejects.toThrow('stopped')
    expect(folder.files()).toEqual([])
  })
})

it.each<readonly [string, () => unknown, string, RegExp]>([
  [
    'no target',
    () => commit(undefined as never),
    'ERR_INVALID_ARGUMENTS',
    /position\(\) and commit\(\): received undefined/,
  ],
  ['a function', () => commit((() => null) as never), 'ERR_INVALID_ARGUMENTS', /must have the methods/],
  ['no items', () => commit({ position: fail, commit: fail }, { items: 0 }), 'ERR_INVALID_OPTION', /'items' must be/],
  ['no time', () => commit({ position: fail, commit: fail }, { interval: 0 }), 'ERR_INVALID_OPTION', /'interval' must/],
  [
    'an array',
    () => commit({ position: fail, commit: fail }, [] as never),
    'ERR_INVALID_OPTION',
    /pipe\(source, commit/,
  ],
  ['no source', () => commit({ position: fail, commit: fail })(5 as never), 'ERR_INVALID_SOURCE', /received 5/],
])('refuses %s at the call', (_, call, code, message) => {
  expect(call).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error)
})

it('reads lines whose last one has no end', async () => {
  writeFileSync(folder.at('a.txt'), 'a\nb')
  const load = (): Promise<unknown> => commit(database)(lines(folder.at('a.txt')))
  await load()
  appendFileSync(folder.at('a.txt'), '\nc\n')
  await load()
  expect(database.rows).toEqual(['a', 'b', '', 'c'])
})
