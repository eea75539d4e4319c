/** Sources of values that go on: `resumable()`, arrays, the paths of `files()`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { openBatches } from '#dist/io/source.js'
import { MarkRequest, type Json, type Mark } from '#dist/resume/mark.js'
import { ArrayPoint } from '#dist/resume/list-point.js'
import { files } from '#dist/sources/files.js'
import { resumable, type OpenFrom, type Position } from '#dist/sources/resumable.js'
import { begin, readMarked, type Reading } from '../support/marked.js'
import { times } from '../support/volume.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-resumable-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function valuesOf({ items }: Reading): unknown[] {
  return items.map(({ value }) => value)
}

describe('resumable()', () => {
  const rows = Array.from({ length: 100 }, (_, at) => ({ id: 3 * at, name: `row ${at}` }))
  const forms: Readonly<Record<string, OpenFrom<string, Position>>> = {
    'a generator': function* (from) {
      for (const { id, name } of rows) if (from === undefined || id > Number(from)) yield [name, id]
    },
    'an async generator': async function* (from) {
      for (const { id, name } of rows) {
        if (id % 7 === 0) await Promise.resolve()
        if (from === undefined || id > Number(from)) yield [name, id]
      }
    },
    'an array, with objects as positions': (from) => {
      const start = from === undefined ? 0 : (from as { readonly next: number }).next
      return rows.slice(start).map(({ name }, at) => [name, { next: start + at + 1 }] as const)
    },
  }

  it.each(Object.entries(forms))('goes on at any mark: %s', async (_name, open) => {
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 80 }),
      fc.integer({ min: 1, max: 5 }),
      async (max, every) => {
        const marked = await readMarked(resumable(open), { max, asks: (batch) => batch % every === 0 })
        expect(valuesOf(marked)).toEqual(rows.map(({ name }) => name))
        expect(marked.marks.length).toBeGreaterThan(0)
        for (const { at, note } of marked.marks) {
          const rest = await readMarked(resumable(open), { max, note })
          expect(valuesOf(rest)).toEqual(rows.slice(at).map(({ name }) => name))
        }
      },
    )
    await fc.assert(property, { numRuns: times(5, 30) })
  })

  it('gives the items from the start in a loop, each time', async () => {
    const source = resumable((from: number | undefined) => [['a', from ?? 1] as const, ['b', 2] as const])
    for (let loop = 0; loop < 2; loop++) {
      const items: string[] = []
      for await (const item of source) items.push(item)
      expect(items).toEqual(['a', 'b'])
    }
    expect(openBatches(source)).toBeUndefined()
  })

  it('gives a mark at once while the data wait', async () => {
    const source = resumable(async function* () {
      yield ['a', 1] as const
      await new Promise(() => {})
    })
    const { items, marks } = await untilMark(source)
    expect(items).toEqual(['a'])
    expect(marks).toEqual([{ from: 1 }])
  })

  it('closes the data when it is left', async () => {
    let isClosed = false
    const source = resumable(function* () {
      try {
        yield ['a', 1] as const
        yield ['b', 2] as const
      } finally {
        isClosed = true
      }
    })
    await untilMark(source)
    expect(isClosed).toBe(true)
  })

  it('gives the items before an error', async () => {
    const source = resumable(function* () {
      yield ['a', 1] as const
      throw new Error('the connection is lost')
    })
    const reading = await readMarked(source, { asks: (batch) => batch === 1 })
    expect(valuesOf(reading)).toEqual(['a'])
    expect(reading.error).toBe('Error: the connection is lost')
    expect(reading.marks.map(({ note }) => note)).toEqual([{ from: 1 }])
  })

  it('refuses what is not a function', () => {
    expect(() => resumable([] as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARGUMENTS',
        message: expect.stringContaining('(from)') as string,
      }) as Error,
    )
  })

  const wrong: readonly (readonly [what: string, open: () => unknown, message: RegExp])[] = [
    ['no iterable', () => 5, /must give an iterable or async iterable of \[item, position\]: received 5/],
    ['an item without a position', () => ['a'], /each element must be \[item, position\]: received 'a'/],
    ['three values', () => [[1, 2, 3]], /each element must be \[item, position\]/],
    [
      'a BigInt as position',
      () => [[1, 2n]],
      /must be a value of JSON: received 2n \(for example: String\(position\)\)/,
    ],
    ['a date as position', () => [[1, new Date(0)]], /must be a value of JSON/],
    ['NaN in a position', () => [[1, { at: [NaN] }]], /must be a value of JSON: received NaN/],
    ['undefined as position', () => [[1, undefined]], /must be a value of JSON: received undefined/],
  ]
  it.each(wrong)('refuses %s', async (_what, open, message) => {
    const source = resumable(open as never)
    const read = async (): Promise<void> => {
      const { error } = await readMarked(source, { asks: (batch) => batch === 1 })
      if (error !== undefined) throw new Error(error)
    }
    await expect(read()).rejects.toThrow(message)
  })
})

/** Reads until the source waits, asks for a mark then, and closes the source. */
async function untilMark(source: object): Promise<{ items: unknown[]; marks: Json[] }> {
  const { point, request, batches } = await begin(source)
  const items: unknown[] = []
  const first = await batches.next(1)
  items.push(...(first?.values() ?? []))
  const second = batches.next(1)
  request.ask()
  const mark = await (second instanceof Promise ? second : batches.next(1))
  // It waits for data that wait.
  void batches.close()
  return { items, marks: [(mark as Mark).notes.get(point) ?? null] }
}

describe('an array', () => {
  async function read(array: readonly unknown[], note?: Json, every = Infinity): Promise<Reading> {
    const point = new ArrayPoint(array)
    const request = new MarkRequest()
    await point.begin(request, note)
    const batches = openBatches(array)
    if (batches === undefined) throw new Error('The array gives no batches')
    return readMarked(array, { begun: { point, request, batches }, max: 3, asks: (batch) => batch % every === 0 })
  }
  const values = ['a', 1, { b: [2n, new Date(5)] }, undefined, null, new Map([[1, 2]]), 'c', 'a']

  it('goes on at any mark', async () => {
    const whole = await read(values, undefined, 1)
    expect(valuesOf(whole)).toEqual(values)
    expect(whole.marks.length).toBe(4)
    for (const { at, note } of whole.marks) expect(valuesOf(await read(values, note))).toEqual(values.slice(at))
  })

  it('may have new values at its end', async () => {
    const { marks } = await read(values, undefined, 2)
    for (const { at, note } of marks) {
      expect(valuesOf(await read([...values, 'new'], note))).toEqual([...values, 'new'].slice(at))
    }
  })

  it('must have the values that were read', async () => {
    const { marks } = await read(values, undefined, 2)
    const { note } = marks[1] ?? {}
    const changed = [...values]
    changed[2] = { b: [3n, new Date(5)] }
    const refused = { code: 'ERR_CHECKPOINT_INPUT' }
    await expect(read(changed, note)).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('same 6') as string,
    })
    await expect(read(values.slice(0, 2), note)).rejects.toMatchObject(refused)
    await expect(read(['new', ...values], note)).rejects.toMatchObject(refused)
    await expect(read(values, { done: 'x' })).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_DAMAGED' })
  })

  it('must have values that can be copied, and no promises', async () => {
    for (const value of [() => 1, Promise.resolve(1)]) {
      const { error } = await read([1, value])
      expect(error).toMatch(/CheckpointError.*resumable\(\)/)
    }
  })

  it('is read as any array after that', async () => {
    await read(values)
    expect(openBatches(values)).toBeUndefined()
  })
})

describe('the paths of files()', () => {
  it('go on at any mark, if new ones come behind', async () => {
    for (const name of ['b', 'c', 'd']) writeFileSync(join(folder, name), '')
    const list = (): object => files(`${folder}/*`)
    const { marks } = await readMarked(list(), { max: 1, asks: () => true })
    expect(marks.length).toBe(4)
    const paths = ['b', 'c', 'd'].map((name) => join(folder, name))
    for (const { at, note } of marks) expect(valuesOf(await readMarked(list(), { note }))).toEqual(paths.slice(at))
    writeFileSync(join(folder, 'e'), '')
    const { note } = marks[2] ?? {}
    expect(valuesOf(await readMarked(list(), { note }))).toEqual([join(folder, 'd'), join(folder, 'e')])
    writeFileSync(join(folder, 'a'), '')
    await expect(readMarked(list(), { note })).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_INPUT',
    })
  })
})
