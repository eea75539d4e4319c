import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { runExample, type Ending, type Surroundings } from './run.js'

function line(n: number, hour: string, request: string, answer: string): string {
  return `10.0.0.${n} - - [10/Oct/2024:${hour}:55:36 +0000] "${request}" ${answer} "-" "curl/8.0"`
}

const SMALL = [
  line(1, '00', 'GET / HTTP/1.1', '200 1000'),
  line(1, '00', 'GET /?again HTTP/1.1', '200 1000'),
  line(2, '13', String.raw`GET /a\"b HTTP/1.1`, '304 -'),
  line(2, '13', 'GET / HTTP/1.1', '200 999999'),
  line(3, '13', 'GET /gone HTTP/1.1', '404 12'),
  'no line of an access log \x1b[31m',
  line(1, '13', 'POST /form HTTP/1.1', '500 8'),
  line(1, '23', 'GET / HTTP/1.1', '200 7').slice(0, -1),
]

const REPORT = `\
small.log
  Lines              8
  Requests           7
  Malformed          2
  Bytes      1,002,019  1.00 MB
  Errors             2   28.57%
    4xx              1   14.29%
    5xx              1   14.29%

Status
  200  OK                     4  57.14%
  304  Not Modified           1  14.29%
  404  Not Found              1  14.29%
  500  Internal Server Error  1  14.29%

Top addresses
  3  42.86%  10.0.0.1
  2  28.57%  10.0.0.2
  1  14.29%  10.0.0.3

Top paths
  3  42.86%  /
  1  14.29%  /a\\"b
  1  14.29%  /form
  1  14.29%  /gone

Requests by hour of the day
  00  2  ███████████████████████████████████▌
  01  0
  02  0
  03  0
  04  0
  05  0
  06  0
  07  0
  08  0
  09  0
  10  0
  11  0
  12  0
  13  4  ███████████████████████████████████████████████████████████████████████
  14  0
  15  0
  16  0
  17  0
  18  0
  19  0
  20  0
  21  0
  22  0
  23  0

Malformed lines
  6  no line of an access log \\x1b[31m
  8  10.0.0.1 - - [10/Oct/2024:23:55:36 +0… "GET / HTTP/1.1" 200 7 "-" "curl/8.0
`

describe('the demo', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-access-log-'))
    await writeFile(join(folder, 'small.log'), `${SMALL.join('\n')}\n`)
    await writeFile(join(folder, 'small.log.gz'), gzipSync(SMALL.join('\r\n')))
    await writeFile(join(folder, 'broken.gz'), gzipSync(SMALL.join('\n')).fill(0x55, 20))
    await writeFile(join(folder, 'empty.log'), '')
    await writeFile(join(folder, 'bad.log'), 'bad\n'.repeat(1_234))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true })
  })

  function demo(args: string[], around: Surroundings = {}): Promise<Ending> {
    return runExample('access-log/main.js', args, { cwd: folder, ...around })
  }

  it('reports on a file, and does not write to a standard error that is not a terminal', async () => {
    expect(await demo(['small.log'])).toEqual({ code: 0, stdout: REPORT, stderr: '' })
  })

  it('reads gzip and line ends of either kind', async () => {
    const stdout = REPORT.replace('small.log', 'small.log.gz')
    expect(await demo(['small.log.gz'])).toEqual({ code: 0, stdout, stderr: '' })
  })

  it('reads standard input when that is a file', async () => {
    const stdout = REPORT.replace('small.log', 'standard input')
    expect(await demo([], { stdin: join(folder, 'small.log') })).toEqual({ code: 0, stdout, stderr: '' })
  })

  it("reads a pipe for '-'", async () => {
    const stdout = REPORT.replace('small.log', 'standard input')
    const stdin = [Buffer.from(SMALL.slice(0, 3).join('\n')), Buffer.from(`\n${SMALL.slice(3).join('\n')}`)]
    expect(await demo(['-'], { stdin })).toEqual({ code: 0, stdout, stderr: '' })
  })

  it('reads several files in turn, and names the file of each malformed line', async () => {
    const { code, stdout, stderr } = await demo(['small.log', 'empty.log', 'small.log.gz'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(
      /^small\.log, empty\.log, small\.log\.gz\n {2}Lines +16\n {2}Requests +14\n {2}Malformed +4\n/,
    )
    expect(stdout.split('Malformed lines\n')[1]?.replace(/(:\d).*/g, '$1')).toBe(
      '     small.log:6\n     small.log:8\n  small.log.gz:6\n  small.log.gz:8\n',
    )
  })

  it('shows ten malformed lines and counts the others', async () => {
    const { stdout } = await demo(['bad.log'])
    const shown = Array.from({ length: 10 }, (_, n) => `  ${`${n + 1}`.padStart(2)}  bad\n`)
    expect(stdout).toContain('\n  Requests       0\n  Malformed  1,234\n')
    expect(stdout).toContain(`\n\nMalformed lines\n${shown.join('')}  … and 1,224 more\n`)
  })

  it('says in one line that a file is missing, before it reads any', async () => {
    const stderr = 'access-log: cannot read missing.log: no such file or directory\n'
    expect(await demo(['small.log', 'missing.log'])).toEqual({ code: 1, stdout: '', stderr })
  })

  it('says in one line that a file is broken', async () => {
    const { code, stdout, stderr } = await demo(['small.log', 'broken.gz'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^access-log: cannot read broken\.gz: Cannot decompress gzip .*\n$/)
  })

  it('refuses an unknown flag', async () => {
    const stderr = "access-log: Unknown option '--frob'. See --help.\n"
    expect(await demo(['--frob', 'small.log'])).toEqual({ code: 2, stdout: '', stderr })
  })

  it('explains itself', async () => {
    const { code, stdout, stderr } = await demo(['--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^Usage: access-log \[FILE…\]\n/)
  })

  it('ends quietly when the reader of its output has left', async () => {
    expect(await demo(['small.log'], { deaf: true })).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  it('uses the log it made before, and waits for no pipe that stays open', async () => {
    // A file of the right size is enough, and this one takes no space on disk. Its contents cannot be read as lines.
    const path = join(folder, 'millrace-demo-access-200mb-v1.log')
    const made = await open(path, 'w')
    await made.truncate(200_000_000)
    await made.close()
    const { code, stderr } = await demo([], { env: { TMPDIR: folder, TEMP: folder } })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^access-log: cannot read .*millrace-demo-access-200mb-v1\.log: .*16,?777,?216.*\n$/)
  })
})
