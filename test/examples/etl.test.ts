/** The programs from files to files, run small: inputs have the same bytes every time, and outputs are what a plain loop finds. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import Papa from 'papaparse'
import { runExample, type Ending } from './run.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-etl-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const inFolder = (path: string): string => readFileSync(join(folder, path), 'utf8')
const run = (program: string, ...args: string[]): Promise<Ending> =>
  runExample(`etl/${program}.js`, args, { cwd: folder })
const make = async (name: string, path: string, bytes: number): Promise<void> => {
  expect(await run('make-input', name, path, String(bytes))).toEqual({ code: 0, stdout: '', stderr: '' })
}
const table = (text: string): Record<string, string>[] =>
  Papa.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true }).data
const ndjson = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
const sha256 = (path: string): string =>
  createHash('sha256')
    .update(readFileSync(join(folder, path)))
    .digest('hex')

describe('the example', () => {
  it('errors writes the requests that failed, with their lines', async () => {
    await make('errors', 'access.log', 1_500_000)
    const log = inFolder('access.log').trimEnd().split('\n')
    const failed = log.flatMap((line, index) => (/" 5\d\d \d+ "/.test(line) ? [String(index + 1)] : []))
    expect(failed.length).toBeGreaterThan(0)
    const { stdout, stderr } = await run('errors', 'out/errors.csv', 'access.log')
    expect([stdout, stderr]).toEqual([
      `out/errors.csv: ${failed.length} of ${log.length} requests failed, 0 lines are not of an access log\n`,
      '',
    ])
    const rows = table(inFolder('out/errors.csv'))
    expect(rows.map(({ line }) => line)).toEqual(failed)
    for (const { line, path, status } of rows) {
      expect(log[Number(line) - 1]).toContain(` ${path} HTTP/1.1" ${status} `)
    }
  })

  it('clean writes clean records, and rows that cannot be used with their reasons', async () => {
    await make('clean', 'customers.csv', 300_000)
    expect(sha256('customers.csv')).toBe('13466a7b894ac745cd90ebaed59ed800310678c8158fe457ae3627119c1c2b73')
    const rows = table(inFolder('customers.csv'))
    const { stdout } = await run('clean', 'customers.ndjson.gz', 'customers.csv')
    const clean = ndjson(gunzipSync(readFileSync(join(folder, 'customers.ndjson.gz'))).toString())
    const rejected = ndjson(inFolder('customers.ndjson.gz.rejects.ndjson'))
    expect(clean.length + rejected.length).toBe(rows.length)
    expect(stdout).toBe(
      `customers.ndjson.gz: ${clean.length} of ${rows.length} customers; customers.ndjson.gz.rejects.ndjson: ${rejected.length}\n`,
    )
    const reasons = new Set(
      rejected.map(({ error }) => (error as { message: string }).message.replace(/^Cannot .*?\) as |:.*$/g, '')),
    )
    expect([...reasons].sort()).toEqual([
      "field 5 ('born') must be a date (ISO 8601)",
      "field 6 ('balance') must be what task 'money' takes",
      'it must have 7 fields, as the header has',
      'not an e-mail address',
    ])
    for (const { id, name, email, born, balance } of clean) {
      const row = rows[Number(id) - 1] ?? {}
      expect({ email, born, name }).toEqual({
        email: row.email?.toLowerCase(),
        born: row.born,
        name: row.name?.trim().replace(/ +/g, ' '),
      })
      expect(balance).toBe(Math.round(100 * Number(row.balance?.replace(',', ''))))
    }
  })

  it('sensors files the readings of each day, and sums them up', async () => {
    await make('sensors', 'sensors', 1_000_000)
    expect(sha256('sensors/shed.ndjson')).toBe('bbc22e8c8cbbb1e64bc1a9cc5dd2fa3b5b00271ec2b5cc7b5b872237b0051b00')
    const lines = readdirSync(join(folder, 'sensors')).flatMap((name) =>
      inFolder(`sensors/${name}`).trimEnd().split('\n'),
    )
    const good = lines.filter((line) => line.endsWith('}') && !line.includes('null'))
    expect(lines.length).toBeGreaterThan(good.length)
    const { stdout } = await run('sensors', 'readings', 'sensors')
    const days = readdirSync(join(folder, 'readings')).sort()
    expect(days).toEqual(['day=2026-01-01', 'day=2026-01-02'])
    expect(stdout).toBe(
      `readings: ${good.length} readings of ${days.length} days, ${lines.length - good.length} left out; readings.csv: 24 sensors\n`,
    )
    const filed = days.flatMap((day) => table(inFolder(`readings/${day}/part.csv`)))
    expect(filed).toHaveLength(good.length)
    const attic = filed
      .filter(({ site, sensor }) => site === 'attic' && sensor === 'a')
      .map(({ celsius }) => Number(celsius))
    const summary = table(inFolder('readings.csv'))
    expect(summary).toHaveLength(24)
    const found = summary.find(({ site, sensor }) => site === 'attic' && sensor === 'a')
    expect(found).toMatchObject({
      count: String(attic.length),
      lowest: String(Math.min(...attic)),
      highest: String(Math.max(...attic)),
    })
    expect(Number(found?.mean)).toBeCloseTo(attic.reduce((sum, value) => sum + value, 0) / attic.length, 1)
  })

  it('main makes the input once, and runs the program', async () => {
    const around = { env: { TMPDIR: folder, TEMP: folder, TMP: folder } }
    const first = await runExample('etl/main.js', ['clean', '50000'], around)
    const again = await runExample('etl/main.js', ['clean', '50000'], around)
    expect(first.stdout).toMatch(
      /^in .*millrace-etl-clean-50000:\nmaking customers.csv, once\ncustomers.ndjson.gz: \d+ of \d+ /,
    )
    expect(again.stdout).toBe(first.stdout.replace('making customers.csv, once\n', ''))
    const unknown = await runExample('etl/main.js', ['other'], around)
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      expect.stringContaining('Usage: main.js errors|clean|sensors [BYTES]'),
    ])
  })
})
