/** The options `progress` and `report` of `write()`. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { csv, imap, lines, pipe, write, type WriteOptions } from 'millrace'
import { parseNumber } from '../fixtures/progress.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-shown-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const input = join(folder, 'numbers.txt')
writeFileSync(input, Array.from({ length: 1000 }, (_, n) => (n % 100 === 7 ? 'x\n' : `${n}\n`)).join(''))

interface Report {
  readonly run: { readonly end: string; readonly duration: number; readonly error?: { readonly message: string } }
  readonly totals: Readonly<Record<string, unknown>>
  readonly inputs: unknown
  readonly outputs: unknown
  readonly errors: readonly unknown[]
}

function reportAt(path: string): Report {
  return JSON.parse(readFileSync(path, 'utf8')) as Report
}

/** What is written to standard error meanwhile. */
async function stderrOf(run: () => Promise<unknown>): Promise<string> {
  const spy = jest.spyOn(process.stderr, 'write').mockImplementation(((_text: string, done?: () => void) => {
    done?.()
    return true
  }) as typeof process.stderr.write)
  try {
    await run()
    return spy.mock.calls.map(([text]) => String(text)).join('')
  } finally {
    spy.mockRestore()
  }
}

describe('report', () => {
  it('is there when the promise resolves, with totals, inputs and outputs', async () => {
    const [output, report] = [join(folder, 'out.ndjson.gz'), join(folder, 'reports', 'run.json')]
    const { duration, bytesWritten, bytesRead } = await pipe(
      lines(input),
      imap(parseNumber, { errors: 'skip' }),
      write(output, { report }),
    )
    const { run, totals, inputs, outputs, errors } = reportAt(report)
    expect(run.end).toBe('done')
    expect(run.duration).toBeGreaterThanOrEqual(Math.floor(duration))
    expect(totals).toMatchObject({ items: 1000, results: 990, failed: 10, bytes: bytesRead })
    expect(inputs).toEqual([{ path: input, bytes: bytesRead, size: bytesRead }])
    expect(outputs).toEqual([{ path: output, records: 990, bytes: bytesWritten }])
    expect(errors).toMatchObject([
      { code: 'ERR_NUMBER', count: 10, first: { index: 7, record: 8, line: 8, file: input } },
    ])
  })

  it('knows the records of CSV, and the file of each', async () => {
    const table = join(folder, 'table.csv')
    writeFileSync(table, `a,b\n${'1,2\n'.repeat(20)}1\n${'3,4\n'.repeat(20)}`)
    const report = join(folder, 'csv.json')
    await pipe(
      csv(table),
      imap({ module: import.meta.resolve('../fixtures/progress.js'), export: 'firstColumn' }, { errors: 'skip' }),
      write(join(folder, 'first.txt'), { report }),
    )
    expect(reportAt(report).errors).toMatchObject([{ count: 1, first: { file: table, record: 21, line: 22 } }])
  })

  it('tells of an error, also if nothing is known of the source', async () => {
    for (const [name, source] of [
      ['known', imap(parseNumber, lines(input))],
      ['unknown', ['1', {} as unknown as string]],
    ] as const) {
      const report = join(folder, `${name}.json`)
      await expect(pipe(source, write(join(folder, 'failed.txt'), { report }))).rejects.toThrow()
      expect(reportAt(report).run).toMatchObject({ end: 'failed', error: { message: expect.any(String) as string } })
    }
  })

  it('has a page that is complete for a source of which nothing is known', async () => {
    const report = join(folder, 'unknown.html')
    await pipe(['1', '2'], write(join(folder, 'two.txt'), { report }))
    expect(readFileSync(report, 'utf8')).toMatch(/two\.txt[^]*<\/html>\n$/)
  })

  it('does not undo what was written, if it cannot be written', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
    const output = join(folder, 'stays.txt')
    await pipe(['1'], write(output, { report: join(input, 'run.html') }))
    expect((await warned).message).toMatch(/^Cannot write the report of a run: /)
    expect(existsSync(output)).toBe(true)
  })
})

describe('progress', () => {
  it('says the last state when all is written, with the time of all', async () => {
    const written = await stderrOf(() =>
      pipe(
        lines(input),
        imap(parseNumber, { errors: 'skip' }),
        write(join(folder, 'p.txt'), { format: 'ndjson', progress: 'plain' }),
      ),
    )
    expect(written).toMatch(/^done in \d.*: 1,000 items, 10 failed, 3\.\d+ kB, .*limited by the \w+\n$/)
  })

  it('is silent by default, and without a terminal', async () => {
    for (const progress of [undefined, false, true]) {
      const options: WriteOptions = progress === undefined ? {} : { progress }
      expect(await stderrOf(() => pipe(['a'], write(join(folder, 'q.txt'), options)))).toBe('')
    }
  })

  it('shows the time of a source of which nothing is known', async () => {
    const written = await stderrOf(() => pipe(['a'], write(join(folder, 'r.txt'), { progress: 'json' })))
    expect(JSON.parse(written)).toMatchObject({ state: 'done', elapsed: expect.any(Number) as number })
  })

  it.each([
    [
      { progress: 'yes' },
      "Cannot write results as 'progress' must be true or false or 'plain' or 'json': received 'yes'",
    ],
    [
      { report: 'run.pdf' },
      "Cannot write results as 'report' must be a path that ends with '.html', '.svg' or '.json'",
    ],
  ])('refuses %p', (options, message) => {
    expect(() => write('out.txt', options as never)).toThrow(message)
  })
})
