/** A source whose first items are left out, and a sample of one, go on where a mark was. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Source } from 'millrace'
import { withoutFirst } from '#dist/cli/run/without-first.js'
import { openBatches } from '#dist/io/source.js'
import { Mark, MarkRequest, type Json } from '#dist/resume/mark.js'
import { ResumablePipeline } from '#dist/resume/pipeline.js'
import { lines } from '#dist/io/lines.js'
import { sample } from '#dist/verbs/sample.js'
import { ndjson } from '#dist/sources/ndjson.js'

const COUNT = 500
const folder = mkdtempSync(join(tmpdir(), 'millrace-some-'))
const path = join(folder, 'in.ndjson')
writeFileSync(path, Array.from({ length: COUNT }, (_, n) => `${n}\n`).join(''))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** The values, with the notes of all marks between them: one is asked for before each batch. */
async function read(source: object, max: number, notes?: readonly Json[]): Promise<unknown[]> {
  const pipeline = new ResumablePipeline(source)
  const request = new MarkRequest()
  await pipeline.begin(request, notes)
  const batches = openBatches(source)
  const all: unknown[] = []
  for (;;) {
    request.ask()
    const batch = await batches?.next(max)
    if (batch instanceof Mark) {
      all.push({ notes: JSON.parse(JSON.stringify(await pipeline.seal(batch.notes))) as Json[] })
      request.take()
      const next = await batches?.next(max)
      if (next === undefined) return all
      all.push(...next.values())
      next.release()
    } else if (batch === undefined) return all
    else throw new Error('A mark comes before the next batch')
  }
}

function isNote(value: unknown): value is { notes: Json[] } {
  return typeof value === 'object' && value !== null && 'notes' in value
}

const values = (all: readonly unknown[]): unknown[] => all.filter((value) => !isNote(value))

type Open = () => Source<unknown>
const cases: readonly (readonly [name: string, open: Open, expected: (numbers: readonly number[]) => unknown])[] = [
  ['without the first items', () => withoutFirst(ndjson(path), 123), (numbers) => numbers.slice(123)],
  ['without any', () => withoutFirst(ndjson(path), COUNT + 1), () => []],
  ['a sample of records', () => sample(0.3, ndjson(path), { seed: 4 }), (numbers) => numbers],
  ['a sample of lines', () => sample(0.3, lines(path)), (numbers) => numbers.map(String)],
  [
    'a sample of values',
    () =>
      sample(
        0.3,
        Array.from({ length: COUNT }, (_, n) => n),
      ),
    (numbers) => numbers,
  ],
  [
    'a sample without the first items',
    () => sample(0.5, withoutFirst(ndjson(path), 77)),
    (numbers) => numbers.slice(77),
  ],
]

it.each(cases)('%s', async (name, open, expected) => {
  const whole = await read(open(), 7)
  const numbers = Array.from({ length: COUNT }, (_, n) => n)
  const known = expected(numbers) as unknown[]
  expect(known).toEqual(expect.arrayContaining(values(whole)))
  if (name.startsWith('a sample')) expect(values(whole).length).toBeLessThan(known.length)
  else expect(values(whole)).toEqual(known)
  const marks = whole.filter(isNote)
  expect(marks.length).toBeGreaterThan(known.length === 0 ? 0 : 1)
  for (const mark of marks.slice(0, 30)) {
    const rest = await read(open(), 11, mark.notes)
    expect(values(rest)).toEqual(values(whole.slice(whole.indexOf(mark))))
  }
})
