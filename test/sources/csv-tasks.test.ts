/** Tasks as `types` of `csv()`: they are called with the text of a field, where its record is parsed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { batch, csv, pipe, Pool, RecordError, rejects, replay, task, tsv, write, type CsvOptions } from 'millrace'
import {
  counted,
  deadly,
  deadlyThere,
  endless,
  later,
  money,
  sameRow,
  tags,
  thread,
  throwsText,
} from '../fixtures/field-tasks.js'
import { add, countRows, hasField, same, slowSame } from '../fixtures/records.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-csv-tasks-'))
const pool = new Pool({ workers: 2 })
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await pool.terminate()
})

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of source) all.push(item)
  return all
}

const text = 'id,amount,tags\n1,"9,50 €",a|b\n2,,\n3,7,c\n'
const types = { amount: money, tags }
const rows = [
  { id: '1', amount: 950, tags: ['a', 'b'] },
  { id: '2', amount: null, tags: null },
  { id: '3', amount: 700, tags: ['c'] },
]
const source = (options?: CsvOptions) => csv([Buffer.from(text)], { types, ...options })

describe('a task as a type of csv() makes the values of a column', () => {
  it('in a plain loop, and not of empty fields', async () => {
    expect(await collect(source())).toEqual(rows)
    expect(await collect(tsv([Buffer.from(text.replaceAll(',', '\t').replace('\t50', ',50'))], { types }))).toEqual(
      rows,
    )
  })

  it('in every stage, on workers and here', async () => {
    for (const workers of [0, 2]) {
      for (const chunksize of [1, 'auto'] as const) {
        const options = { workers, chunksize }
        expect(await pool.imap(same, source(), options).toArray()).toEqual(rows)
        expect(await pool.imap(slowSame, source(), { ...options, concurrency: 2 }).toArray()).toEqual(rows)
        expect(await pool.imapUnordered(same, source(), options).toArray()).toHaveLength(3)
        expect(await pool.filter(hasField, source(), options).toArray()).toEqual(rows)
        expect(await pool.reduce(countRows, source(), { ...options, initial: 0, merge: add })).toBe(3)
      }
    }
    expect(await pool.imap(same, source(), { retries: 1 }).toArray()).toEqual(rows)
    expect(await collect(pipe(source(), batch(2)))).toEqual([rows.slice(0, 2), rows.slice(2)])
    const path = join(folder, 'rows.ndjson')
    await pipe(source(), write(path))
    expect(readFileSync(path, 'utf8')).toBe(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  })

  it('of records that are split one by one, and of rows with very many columns', async () => {
    expect(await collect(source({ comment: '#', trim: true }))).toEqual(rows)
    const names = Array.from({ length: 600 }, (_, i) => `c${i}`)
    const wide = csv([Buffer.from(`${names.join()}\n${names.map(() => '1').join()}\n`)], { types: { c599: money } })
    expect((await collect(wide))[0]).toMatchObject({ c0: '1', c598: '1', c599: 100 })
  })

  it('in the thread that parses the record', async () => {
    const numbers = () => csv([Buffer.from('n\n1\n2\n')], { columns: ['n'], types: { n: thread } })
    expect(await collect(numbers())).toEqual([{ n: 0 }, { n: 0 }])
    for (const row of (await pool.imap(same, numbers()).toArray()) as { n: number }[]) expect(row.n).toBeGreaterThan(0)
  })

  it('that was asked for: the others are never called', async () => {
    const dies = csv([Buffer.from('a,b\n1,x\n')], { columns: ['a'], types: { b: throwsText } })
    expect(await collect(dies)).toEqual([{ a: '1' }])
  })
})

describe('a task that cannot make a value', () => {
  const bad = Buffer.from('id,amount\n1,7\n2,free\n3,"8,5"\n')
  const open = () => csv([bad], { types: { amount: money } })

  it('makes its record fail with what it has thrown, alone, on workers and here', async () => {
    for (const workers of [0, 2]) {
      const outcomes = await pool.imap(same, open(), { workers, errors: 'settle' }).toArray()
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      const reason = outcomes[1]?.status === 'rejected' ? outcomes[1].reason : undefined
      expect(reason).toBeInstanceOf(RecordError)
      expect(reason).toMatchObject({
        code: 'ERR_CSV_TYPE',
        record: 2,
        line: 3,
        message:
          "Cannot read record 2 (line 3, byte 14) as field 2 ('amount') must be what task 'money' takes: " +
          "received 'free' (not an amount)",
        cause: { name: 'TypeError', message: 'not an amount' },
      })
      expect((reason as Error).cause).toBeInstanceOf(TypeError)
    }
    await expect(collect(open())).rejects.toMatchObject({ code: 'ERR_CSV_TYPE', record: 2 })
  })

  it('may throw anything', async () => {
    const row = csv([Buffer.from('a\nx\n')], { types: { a: throwsText } })
    await expect(collect(row)).rejects.toMatchObject({
      cause: 'x',
      message: expect.stringContaining("('x')") as unknown,
    })
  })

  it('must not be asynchronous', async () => {
    for (const workers of [0, 2]) {
      const row = csv([Buffer.from('a\nx\n')], { types: { a: later } })
      await expect(pool.imap(same, row, { workers }).toArray()).rejects.toMatchObject({
        code: 'ERR_CSV_TYPE',
        message: expect.stringContaining('it returned a promise, and must be synchronous: wait in the task') as unknown,
      })
    }
  })

  it('costs the record only, if it ends its worker or never returns', async () => {
    const lethal = () => csv([Buffer.from('a\n1\ndie\n2\n')], { types: { a: deadly } })
    const kinds = [{}, { concurrency: 2 }, { chunksize: 1 }]
    for (const options of kinds) {
      const outcomes = await pool.imap(slowSame, lethal(), { ...options, errors: 'settle' }).toArray()
      expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : outcome.value))).toMatchObject(
        [{ a: '1' }, { code: 'ERR_WORKER_CRASHED' }, { a: '2' }],
      )
    }
    const options = { initial: 0, merge: add, errors: 'skip' } as const
    expect(await pool.reduce(countRows, lethal(), options)).toBe(2)
    const hanging = csv([Buffer.from('a\n1\nloop\n2\n')], { types: { a: endless } })
    expect(await pool.imap(same, hanging, { timeout: 200, errors: 'skip' }).toArray()).toEqual([{ a: '1' }, { a: '2' }])
  })

  it('does not run on this thread after it has ended a worker: the item is then the text of its record', async () => {
    const path = join(folder, 'deadly.ndjson')
    const lethal = () => csv([Buffer.from('a,b\n1,2\ndie,3\n4,5\n')], { types: { a: deadlyThere } })
    const outcomes = await pool.imap(same, lethal(), { errors: 'settle' }).toArray()
    expect(outcomes[1]).toMatchObject({ status: 'rejected', item: 'die,3' })
    await pool.imap(same, lethal(), { errors: rejects(path) }).toArray()
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
      raw: 'die,3',
      error: { code: 'ERR_WORKER_CRASHED' },
    })
    await expect(pool.imap(same, lethal()).toArray()).rejects.toMatchObject({ code: 'ERR_WORKER_CRASHED' })
    expect(counted.deadly).toBe(0)
  })

  it('makes all records fail, if a worker cannot load it', async () => {
    const lost = task(new URL('nowhere.js', import.meta.url), 'lost', (field: string) => field)
    const row = csv([Buffer.from('a\nx\n')], { types: { a: lost } })
    await expect(pool.imap(same, row).toArray()).rejects.toMatchObject({ code: 'ERR_TASK_LOAD' })
  })

  it('is refused at the call, if it is not a task, or async', () => {
    const call = (type: unknown) => () => csv('a.csv', { types: { a: type } } as CsvOptions)
    const expected = /'types.a' must be Number, BigInt, Boolean, Date or a task: received /
    for (const wrong of [String, (field: string) => field, 'number', { module: 'node:path', export: 'basename' }])
      expect(call(wrong)).toThrow(expected)
    expect(call(String)).toThrow(/\(fields are strings without it\)$/)
    expect(call(Number.parseFloat)).toThrow(/task\(import.meta.url, 'name', \(text\) => …\)/)
    expect(call(task(import.meta.url, 'waits', (field: string) => Promise.resolve(field)))).not.toThrow()
    expect(call(task(import.meta.url, 'isAsync', async (field: string) => Promise.resolve(field)))).toThrow(
      /must be synchronous: wait in the task that gets the rows/,
    )
  })
})

describe('replay() of records that a task of a field has refused', () => {
  const path = join(folder, 'bad.ndjson')

  it('calls the task again', async () => {
    const bad = csv([Buffer.from('id,amount\n1,7\n2,free\n')], { types: { amount: money } })
    expect(await pool.imap(sameRow, bad, { errors: rejects(path) }).toArray()).toEqual([{ id: '1', amount: 700 }])
    await expect(collect(replay(path))).rejects.toMatchObject({ code: 'ERR_CSV_TYPE' })
    writeFileSync(path, readFileSync(path, 'utf8').replace('"raw":"2,free"', '"raw":"2,8"'))
    for (const workers of [0, 2]) {
      expect(await pool.imap(sameRow, replay(path), { workers }).toArray()).toEqual([{ id: '2', amount: 800 }])
    }
  })

  it('imports nothing that the file names', async () => {
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('field-tasks.js', 'never-there.js'))
    await expect(pool.imap(sameRow, replay(path)).toArray()).rejects.toMatchObject({
      code: 'ERR_CSV_TYPE',
      message: expect.stringMatching(
        /never-there.js is not loaded: import it in the module of the task that gets the rows/,
      ) as unknown,
    })
  })
})
