import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { imap, lines, pipe, progress } from 'millrace'
import { pageOf } from '#dist/progress/report/page.js'
import { writeReport } from '#dist/progress/report/write-report.js'
import type { RunReport } from '#dist/progress/report/run-report.js'
import { svgOf } from '#dist/progress/report/svg.js'
import { parseNumber, spin } from '../../fixtures/progress.js'
import { HOSTILE, NIGHT } from './sample-report.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-report-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

let files = 0

/** Reads a stream to its end. @returns Its report. */
async function record(stream: AsyncIterable<unknown>): Promise<RunReport> {
  const path = join(folder, `${++files}.json`)
  progress(stream, { report: path })
  for await (const _ of stream);
  await written(path)
  return JSON.parse(readFileSync(path, 'utf8')) as RunReport
}

/** Waits until a file is there. */
async function written(path: string): Promise<void> {
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 1))
}

describe('the record of a run', () => {
  it('has totals, stages, inputs and machine', async () => {
    const text = Array.from({ length: 1000 }, (_, n) => `${n}\n`).join('')
    const path = join(folder, 'numbers.log')
    writeFileSync(path, text)
    const { totals, stages, inputs, inputCount, run, machine } = await record(
      pipe(
        lines(path),
        imap(parseNumber),
        imap((n: number) => n % 2, { workers: 0 }),
      ),
    )
    expect(totals).toMatchObject({ bytes: text.length, items: 1000, results: 1000, failed: 0 })
    expect(totals.limit).toMatch(/source|workers|consumer/)
    expect(totals.peakMemory).toBeGreaterThan(1e7)
    expect(stages.map(({ task, read, delivered }) => [task, read, delivered])).toEqual([
      [expect.stringContaining('parseNumber'), 1000, 1000],
      [expect.any(String), 1000, 1000],
    ])
    expect([inputs, inputCount]).toEqual([[{ path, bytes: text.length, size: text.length }], 1])
    expect(run).toMatchObject({ command: process.argv, folder: process.cwd(), end: 'done' })
    expect(machine).toMatchObject({
      node: process.version,
      millrace: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
    })
  })

  it('has the errors by reason, with the place of the first one', async () => {
    const text = Array.from({ length: 300 }, (_, n) => (n % 3 === 1 ? `${n}x` : `${n}`)).join('\n')
    const { errors, totals } = await record(imap(parseNumber, lines([Buffer.from(text)]), { errors: 'skip' }))
    expect(totals).toMatchObject({ items: 300, results: 200, failed: 100 })
    expect(errors).toEqual([
      {
        task: expect.stringContaining('parseNumber') as string,
        name: 'RangeError',
        code: 'ERR_NUMBER',
        message: 'line 1x is not a number',
        count: 100,
        first: { index: 1, record: 2, line: 2 },
      },
    ])
  })

  it('keeps a bounded number of reasons, and takes anything that is thrown', async () => {
    const odd = [
      undefined,
      null,
      'text',
      { message: 3 },
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('trap')
          },
        },
      ),
    ]
    const fail = (n: number): never => {
      if (n < odd.length) throw odd[n]
      throw Object.assign(new Error(`reason ${'abc'.repeat(200)}`), {
        name: `Name${String.fromCharCode(97 + (n % 26))}${n > 500 ? String.fromCharCode(97 + (n % 25)) : ''}${'x'.repeat(n % 40)}`,
      })
    }
    const { errors } = await record(
      imap(
        fail,
        Array.from({ length: 5000 }, (_, n) => n),
        { workers: 0, errors: 'skip' },
      ),
    )
    expect(errors).toHaveLength(101)
    expect(errors.reduce((sum, { count }) => sum + count, 0)).toBe(5000)
    expect(errors[0]).toMatchObject({ name: 'other errors', task: '' })
    expect(Math.max(...errors.map(({ message }) => message.length))).toBeLessThan(320)
  })

  it('has the slowest items, the slowest first', async () => {
    const times = new Array<number>(60).fill(0)
    times[41] = 160
    times[7] = 80
    const { slowest, latency } = await record(imap(spin, times, { chunksize: 1 }))
    expect(slowest.slice(0, 2).map(({ index, count }) => [index, count])).toEqual([
      [41, 1],
      [7, 1],
    ])
    expect(slowest[0]?.time).toBeGreaterThanOrEqual(30)
    expect(slowest).toHaveLength(20)
    expect(latency.buckets.reduce((sum, { items }) => sum + items, 0)).toBe(60)
    expect(latency.median).toBeLessThan(10)
    expect(latency.p99).toBeGreaterThanOrEqual(14)
  })

  it('has figures over time, in columns of one length', async () => {
    const { samples } = await record(imap(spin, new Array<number>(100).fill(5)))
    const lengths = new Set(Object.values(samples).map((column: readonly unknown[]) => column.length))
    expect(lengths.size).toBe(1)
    expect(samples.time.length).toBeGreaterThan(1)
    expect(samples.time).toEqual([...samples.time].sort((one, other) => one - other))
    expect(samples.bytesPerSecond.every((value) => value === null)).toBe(true)
    expect(samples.itemsPerSecond.some((value) => value > 0)).toBe(true)
    expect(samples.slowestItemTime.some((value) => value !== null && value >= 5)).toBe(true)
    expect(samples.busy.every((value) => value >= 0 && value <= 1)).toBe(true)
  })
})

describe('the forms of a report', () => {
  const page = pageOf(NIGHT)
  const svg = svgOf(NIGHT)

  it('are chosen by the suffix, and replace the file as a whole', async () => {
    for (const name of ['run.html', 'run.SVG', 'run.json']) {
      const path = join(folder, 'deep', name)
      await writeReport(path, NIGHT)
      await writeReport(path, NIGHT)
      expect(existsSync(`${path}.part`)).toBe(false)
      expect(readFileSync(path, 'utf8')).toMatch(
        { html: /^<!doctype html>/, SVG: /^<svg /, json: /^\{/ }[name.slice(4)] ?? /^$/,
      )
    }
  })

  it('leave nothing behind if they cannot be written', async () => {
    const path = join(folder, 'deep.html')
    writeFileSync(path, '')
    await expect(writeReport(join(path, 'x.html'), NIGHT)).rejects.toThrow(/ENOTDIR|EEXIST/)
    const taken = join(folder, 'taken.html')
    mkdirSync(taken)
    await expect(writeReport(taken, NIGHT)).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM/)
    expect(existsSync(`${taken}.part`)).toBe(false)
  })

  it('say how the run ended, its figures and what held it back', () => {
    for (const text of [page, svg]) {
      for (const part of [
        'failed',
        '8 h',
        '91,000,000',
        '8.00 GB',
        '1,412',
        '93 %',
        '410 MB',
        'The workers held the run back',
      ])
        expect(text).toContain(part)
    }
    expect(page).toContain('record 123,457 line 130,002 (item 123,456)')
    expect(page).toContain('RangeError (ERR_AMOUNT)')
    expect(page).toContain('millrace 0.2.0, Node v20.20.2')
    expect(page).toContain('and 238 more')
  })

  it('have each name escaped', () => {
    for (const text of [page, svg]) {
      expect(text).not.toContain('window.escaped = 1</script>')
      expect(text).not.toContain('<img')

      expect(text.replace(/<script>.*?<\/script>/gs, '')).not.toMatch(/[\u2028\u2029\u202e\x1b\0]/)
    }
    expect(page.match(/<script/g)).toHaveLength(3)
    expect(page.match(/<\/script>/g)).toHaveLength(3)
    expect(page).toContain('&lt;/script&gt;&lt;script&gt;window.escaped')
    expect(svg.match(/<\/svg>/g)).toHaveLength(1)
    expect(svg).not.toMatch(/&(?!(?:amp|lt|gt|quot|#39);)/)
    const { charts } = JSON.parse(/id="data">(.*?)<\/script>/.exec(page)?.[1] ?? '') as { charts: unknown[] }
    expect(charts).toHaveLength(6)
  })

  it('name nothing that would be loaded', () => {
    const own = page.replace(/<!--.*?-->/s, '').replace(/<script>.*?<\/script>/gs, '')
    expect(own).not.toMatch(/<[^>]*\b(?:src|href)\s*=|url\(|@import/i)
    expect(page).toContain("default-src 'none'")
    expect(HOSTILE).toContain('http://elsewhere.test')
  })

  it('contain uPlot and its licence', () => {
    expect(page).toContain('Permission is hereby granted')
    expect(page.length).toBeGreaterThan(60_000)
  })

  it('are small and sensible for a run of nothing', async () => {
    const empty = await record(imap((n: number) => n, [], { workers: 0 }))
    for (const text of [pageOf(empty).replace(/<script>.*?<\/script>/gs, ''), svgOf(empty)]) {
      expect(text).not.toMatch(/NaN|Infinity|undefined/)
    }
  })
})
