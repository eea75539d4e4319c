/** Nothing is published, and nothing left behind, if a run fails: every kind of output, and every way to fail. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { imap, ndjson, pipe, reduce, rejects, write, type Source, type WriteOptions, type WriteResult } from 'millrace'
import { useFolder } from './folder.js'

const folder = useFolder()
const RECORDS = 400

interface Row {
  readonly n: number
  readonly k: string
}

interface Output {
  readonly name: string
  /** The target, and one of the files that it makes. */
  readonly target: string
  readonly file: string
  readonly options?: WriteOptions
  /** Whether it needs the file of each record. */
  readonly isTemplate?: boolean
  /** How many results it takes. */
  readonly take?: number
}

const OUTPUTS: readonly Output[] = [
  { name: 'a file', target: 'out.ndjson', file: 'out.ndjson' },
  { name: 'a compressed file', target: 'out.csv.gz', file: 'out.csv.gz' },
  { name: 'a file of the first results', target: 'out.json', file: 'out.json', take: 300 },
  { name: 'a file for each key', target: 'out', file: 'out/k=a/part.csv', options: { partition: 'k' } },
  {
    name: 'a file for each folder of a function',
    target: 'out',
    file: 'out/a/part.csv',
    options: { partition: (row) => (row as Row).k },
  },
  { name: 'a Parquet file', target: 'out.parquet', file: 'out.parquet', options: { rowGroup: 7 } },
  { name: 'a file for each input', target: 'out/{name}.ndjson', file: 'out/in.ndjson', isTemplate: true },
]

interface Run {
  readonly output: Output
  /** Called with each row. */
  readonly task?: (row: Row) => unknown
  /** Of another stage. */
  readonly next?: (row: Row) => unknown
  readonly source?: Source<unknown>
  readonly maxErrors?: number
  readonly signal?: AbortSignal
  readonly write?: WriteOptions
}

/** Every tenth row fails, and goes to a file. */
async function run({ output, task, next, source, maxErrors, signal, write: more }: Run): Promise<WriteResult> {
  const first = (row: Row): unknown => {
    if (row.n % 10 === 3) throw new Error('a failed item')
    return task === undefined ? row : task(row)
  }
  const stream = imap(first, (source ?? ndjson(folder.at('in.ndjson'))) as Source<Row>, {
    workers: 0,
    errors: rejects(folder.at('bad.ndjson')),
    ...(maxErrors !== undefined && { maxErrors }),
    ...(signal !== undefined && { signal }),
  })
  const last = next === undefined ? stream : imap(next as (row: unknown) => unknown, stream, { workers: 0 })
  const options = { ...output.options, ...more }
  return await write(folder.at(output.target), options)(output.take === undefined ? last : last.take(output.take))
}

/** Where a row fails that is neither the first nor the last. */
function at(n: number, fail: () => void): (row: Row) => Row {
  return (row) => {
    if (row.n === n) fail()
    return row
  }
}

const fails = (): never => {
  throw new Error('planned')
}

const FAULTS: readonly (readonly [
  name: string,
  fault: (output: Output) => Partial<Run>,
  applies?: (output: Output) => boolean,
])[] = [
  ['the source fails', () => ({ source: ndjson([folder.at('in.ndjson'), folder.at('absent.ndjson')]) }), takesAll],
  ['too many items fail', () => ({ maxErrors: 20 })],
  ['a later stage fails', () => ({ next: at(250, fails) }), (output) => output.isTemplate !== true],
  [
    'the output cannot be published',
    ({ file }) => ({
      task: at(250, () => {
        mkdirSync(dirname(folder.at(file)), { recursive: true })
        writeFileSync(folder.at(file), 'made meanwhile')
      }),
      write: { overwrite: false },
    }),
  ],
  [
    'the writing is aborted',
    () => {
      const controller = new AbortController()
      const task = at(250, () => {
        controller.abort(new Error('planned'))
      })
      return { task, write: { signal: controller.signal } }
    },
  ],
  [
    'a stage is aborted',
    () => {
      const controller = new AbortController()
      const task = at(250, () => {
        controller.abort(new Error('planned'))
      })
      return { task, signal: controller.signal }
    },
  ],
  ['it is aborted before it begins', () => ({ write: { signal: AbortSignal.abort(new Error('planned')) } })],
  ['its source fails to close', () => ({ source: closesBadly() }), ({ take }) => take !== undefined],
  [
    'its key fails',
    () => ({
      write: {
        partition: (row) => {
          if ((row as Row).n === 250) fails()
          return (row as Row).k
        },
      },
    }),
    ({ options }) => typeof options?.partition === 'function',
  ],
]

function takesAll({ take }: Output): boolean {
  return take === undefined
}

function* rows(): Generator<Row> {
  for (let n = 0; n < RECORDS; n++) yield { n, k: n % 2 === 0 ? 'a' : 'b' }
}

/** More rows than are taken. Its `return()` throws. */
function closesBadly(): Iterable<Row> {
  const all = rows()
  return { [Symbol.iterator]: () => ({ next: () => all.next(), return: fails }) }
}

beforeEach(() => {
  writeFileSync(folder.at('in.ndjson'), [...rows()].map((row) => `${JSON.stringify(row)}\n`).join(''))
  writeFileSync(folder.at('bad.ndjson'), 'older\n')
})

describe.each(OUTPUTS.map((output) => [output.name, output] as const))('%s', (_, output) => {
  it('is published together with the failed items if all goes well', async () => {
    const { written, rejected } = await run({ output })
    expect(written).toBe(output.take ?? 360)
    expect(folder.read('bad.ndjson').split('\n')).toHaveLength(rejected + 1)
    expect(folder.files()).toContain(output.file)
    expect(folder.files().filter((file) => file.endsWith('.part'))).toEqual([])
  })

  const faults = FAULTS.filter(([, , applies]) => applies === undefined || applies(output)).map(
    ([name, fault]) => [name, fault] as const,
  )
  it.each(faults)('is not published, nor are the failed items, if %s', async (name, fault) => {
    const isMade = name === 'the output cannot be published'
    await expect(run({ output, ...fault(output) })).rejects.toThrow()
    expect(folder.files()).toEqual(['bad.ndjson', 'in.ndjson', ...(isMade ? [output.file] : [])].sort())
    expect(folder.read('bad.ndjson')).toBe('older\n')
    if (isMade) expect(folder.read(...output.file.split('/'))).toBe('made meanwhile')
  })
})

describe('failed items of streams that end in no file', () => {
  const odd = (row: Row): Row => {
    if (row.n % 10 === 3) throw new Error('a failed item')
    return row
  }
  const count = (sum: number): number => sum + 1

  it('are not seen if the merging of a fold fails', async () => {
    const options = { workers: 0, errors: rejects(folder.at('bad.ndjson')), chunksize: 50 } as const
    const counted = (total: number, row: Row): number => total + Number(odd(row).n >= 0)
    await expect(reduce(counted, rows(), { ...options, initial: 0, merge: fails })).rejects.toThrow('planned')
    expect(folder.files()).toEqual(['bad.ndjson', 'in.ndjson'])
    expect(folder.read('bad.ndjson')).toBe('older\n')
    expect(await reduce(counted, rows(), { ...options, initial: 0, merge: (a, b) => a + b })).toBe(360)
    expect(folder.read('bad.ndjson').split('\n')).toHaveLength(41)
  })

  it('are not seen if a later stage fails, and are seen with those of the later stages', async () => {
    const first = imap(odd, { workers: 0, errors: rejects(folder.at('bad.ndjson')) })
    const failing = pipe(rows(), first, imap(at(250, fails), { workers: 0 }))
    await expect(failing.toArray()).rejects.toThrow('planned')
    await failing.return()
    expect(folder.files()).toEqual(['bad.ndjson', 'in.ndjson'])
    expect(folder.read('bad.ndjson')).toBe('older\n')
    const second = imap(at(250, fails), { workers: 0, errors: rejects(folder.at('worse.ndjson')) })
    expect(await pipe(rows(), first, second, reduce(count, { workers: 0, initial: 0, merge: (a, b) => a + b }))).toBe(
      359,
    )
    expect(folder.read('bad.ndjson').split('\n')).toHaveLength(41)
    expect(folder.read('worse.ndjson').split('\n')).toHaveLength(2)
  })

  it('are seen as far as they are known if the reader of a later stage leaves', async () => {
    const first = imap(odd, { workers: 0, errors: rejects(folder.at('bad.ndjson')) })
    for await (const row of pipe(
      rows(),
      first,
      imap((row: Row) => row, { workers: 0 }),
    ))
      if (row.n === 250) break
    expect(folder.read('bad.ndjson')).toMatch(/a failed item/)
    expect(folder.files()).toEqual(['bad.ndjson', 'in.ndjson'])
  })
})
