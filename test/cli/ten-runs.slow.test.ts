/**
 * Ten runs of the command line, as people type them. The sixth one is in resume.slow.test.ts.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import { CommandFolder } from '../support/command-line.js'
import { readParquet, typesOf } from '../support/parquet.js'

const folder = new CommandFolder()
const text = (name: string): string => readFileSync(folder.at(name), 'utf8')

beforeAll(() => {
  folder.write(
    'parse.js',
    `export default (line) => {
      const [time, status, path] = line.split(' ')
      return { time, status: Number(status), path }
    }`,
  )
  folder.write(
    'clean.js',
    `export const slim = ({ id, name }) => {
      if (name === '') throw new RangeError('no name')
      return { id, name: name.trim() }
    }
    export default slim`,
  )
  folder.write(
    'stats.js',
    `export const byStatus = {
      initial: {},
      fold: (n, { status }) => ({ ...n, [status]: (n[status] ?? 0) + 1 }),
      merge: (a, b) => {
        for (const status in b) a[status] = (a[status] ?? 0) + b[status]
        return a
      },
    }`,
  )
  folder.write('access.log', '10:00 200 /\n10:01 500 /a\n10:02 503 /b\n')
  folder.write('old/access.log.1.gz', gzipSync('09:00 500 /c\n09:01 200 /\n'))
  folder.write('old/access.log.2.gz', gzipSync('08:00 502 /d\n'))
  folder.write('customers.csv', 'id,name,age\n1, Ann ,30\n2,,40\n3,"Bo, jr",50\n')
})

describe('a command line', () => {
  it('1: filters an access log', async () => {
    const args = ['-m', './parse.js', '-w', 'd.status >= 500', '-e', '`${d.time} ${d.status} ${d.path}`']
    const run = await folder.run([...args, 'old/access.log.1.gz', 'old/access.log.2.gz'])
    expect(run).toEqual({ code: 0, signal: null, stdout: '09:00 500 /c\n08:00 502 /d\n', stderr: '' })
  })

  it('2: cleans CSV, and keeps what failed apart', async () => {
    const args = ['-m', './clean.js#slim', 'customers.csv', '-o', 'customers.clean.csv', '--rejects', 'bad.ndjson']
    expect(await folder.run(args)).toEqual({ code: 3, signal: null, stdout: '', stderr: '' })
    expect(text('customers.clean.csv')).toBe('id,name\n1,Ann\n3,"Bo, jr"\n')
    expect(JSON.parse(text('bad.ndjson'))).toMatchObject({
      file: 'customers.csv',
      record: 2,
      item: { id: '2', name: '', age: '40' },
      error: { name: 'RangeError', message: 'no name' },
      task: 'slim',
    })
  })

  it('3: is part of a pipe, and ends quietly when its reader leaves', async () => {
    const events = Array.from({ length: 200_000 }, (_, id) => JSON.stringify({ type: 'buy', id, n: 2, price: 3 }))
    folder.write('events.gz', gzipSync(`{"type":"view"}\n${events.join('\n')}\n`))
    const stages = `-w 'd.type === "buy"' -e '({ id: d.id, total: d.n * d.price })'`
    const line = `zcat events.gz 2>zcat.txt | { millrace -i ndjson ${stages}; echo "code $?" >&2; } | head -n 2`
    expect(await folder.shell(line)).toEqual({
      code: 0,
      signal: null,
      stdout: '{"id":0,"total":6}\n{"id":1,"total":6}\n',
      stderr: 'code 0\n',
    })
  })

  it('4: aggregates to one value', async () => {
    const run = await folder.run(['-m', './parse.js', '-r', './stats.js#byStatus', 'access.log'])
    expect(run).toEqual({ code: 0, signal: null, stdout: '{"200":1,"500":1,"503":1}\n', stderr: '' })
  })

  it('5: writes a file for each input', async () => {
    for (const name of ['in/a.csv', 'in/x/b.csv']) folder.write(name, `id,name\n1,${name}\n`)
    const args = ['-m', './clean.js', 'in/**/*.csv', '-o', 'out/{dir}/{name}.ndjson.gz', '-j', '2']
    expect(await folder.run(args)).toEqual({ code: 0, signal: null, stdout: '', stderr: '' })
    const written = (name: string): string => gunzipSync(readFileSync(folder.at('out', name))).toString()
    expect(written('a.ndjson.gz')).toBe('{"id":"1","name":"in/a.csv"}\n')
    expect(written('x/b.ndjson.gz')).toBe('{"id":"1","name":"in/x/b.csv"}\n')
  })

  it('7: tries failed items again', async () => {
    folder.write('once.js', 'export default (d) => ({ ...d, name: "nobody" })')
    const rejected = {
      file: 'customers.csv',
      record: 2,
      item: { id: '2', name: '' },
      error: { name: 'E', message: '' },
    }
    folder.write('failed.ndjson', `${JSON.stringify(rejected)}\n`)
    const args = ['-m', './once.js', '--replay', 'failed.ndjson', '-o', 'retried.ndjson', '--retries', '3']
    expect(await folder.run(args)).toEqual({ code: 0, signal: null, stdout: '', stderr: '' })
    expect(text('retried.ndjson')).toBe('{"id":"2","name":"nobody"}\n')
  })

  it('8: runs under cron, with progress as lines and a report', async () => {
    folder.write('visits.csv.gz', gzipSync('time,ip\n1764524400000,10.0.0.1\n1764524401000,10.0.0.2\n'))
    folder.write(
      'geo.js',
      `export default ({ time, ip }) => ({
        at: new Date(Number(time)),
        ip,
        city: ip.endsWith('1') ? 'Łódź' : null,
        hops: ip.length / 2,
      })`,
    )
    const line = 'millrace -m ./geo.js visits.csv.gz -o visits.parquet --progress plain --report run.html 2> run.log'
    expect(await folder.shell(line)).toEqual({ code: 0, signal: null, stdout: '', stderr: '' })
    const visits = await readParquet(folder.at('visits.parquet'))
    expect(typesOf(visits)).toEqual({ at: 'TIMESTAMP_MILLIS', ip: 'UTF8', city: 'UTF8', hops: 'DOUBLE' })
    expect(visits.rows).toEqual([
      [new Date(1764524400000), '10.0.0.1', 'Łódź', 4],
      [new Date(1764524401000), '10.0.0.2', null, 4],
    ])
    expect(text('run.log')).toMatch(/^done in .*: 2 items, .* limited by the (source|workers|consumer)\n$/)
    expect(text('run.html')).toMatch(/^<!doctype html>/i)
  })

  it('9: shows its plan, then the first results, and writes no file', async () => {
    const before = readdirSync(folder.path)
    const args = ['-m', './clean.js', '--head', '1', '--dry-run', 'customers.csv', '-o', 'never.csv']
    const { code, stdout, stderr } = await folder.run(args)
    expect({ code, stdout }).toEqual({ code: 0, stdout: '{"id":"1","name":"Ann"}\n' })
    expect(stderr).toMatch(/^command +millrace -m \.\/clean\.js /)
    expect(stderr).toMatch(/^input +customers\.csv as csv$/m)
    expect(stderr).toMatch(/^stage +map +\.\/clean\.js$/m)
    expect(readdirSync(folder.path)).toEqual(before)
  })

  it('10: uses a package, on columns of CSV', async () => {
    folder.write('node_modules/ua-parser-js/package.json', '{ "main": "ua.cjs" }')
    folder.write(
      'node_modules/ua-parser-js/ua.cjs',
      'module.exports.UAParser = (agent) => ({ browser: { name: agent.split("/")[0] } })',
    )
    folder.write('log.csv', 'ip,agent\n1,Firefox/1\n2,\n3,Chrome/2\n4,Firefox/3\n')
    const line = `millrace -M ua=ua-parser-js -w d.agent -e 'ua.UAParser(d.agent).browser.name' log.csv --columns agent`
    const { code, stdout, stderr } = await folder.shell(`${line} | sort | uniq -c`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.trim().split(/\s+/)).toEqual(['1', 'Chrome', '2', 'Firefox'])
  })
})

it('leaves no unfinished file behind', () => {
  const names = readdirSync(folder.path, { recursive: true, encoding: 'utf8' })
  expect(names.filter((name) => name.endsWith('.part'))).toEqual([])
  expect(existsSync(folder.at('never.csv'))).toBe(false)
})
