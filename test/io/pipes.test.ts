/** Pipes, sockets and devices by path: they are read to the end, or left while they are silent. */
import { execFileSync, spawn, type StdioOptions } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lines } from 'millrace'

const folder = mkdtempSync(join(tmpdir(), 'millrace-pipes-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const program = fileURLToPath(new URL('../fixtures/programs/read-lines.js', import.meta.url))
const describeOnUnix = process.platform === 'win32' ? describe.skip : describe

function pipe(name: string): string {
  const path = join(folder, name)
  execFileSync('mkfifo', [path])
  return path
}

/** Runs the program, writes to its standard input if that is a socket, and gives its output. */
function run(args: string[], stdin: 'pipe' | number, input?: string): Promise<string> {
  const stdio: StdioOptions = [stdin, 'pipe', 'inherit']
  const child = spawn(process.execPath, [program, ...args], { stdio })
  child.stdin?.on('error', () => {})
  if (input !== undefined) child.stdin?.write(input)
  return new Promise((resolve, reject) => {
    let written = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (written += text))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(written)
      else reject(new Error(`the program ended with ${String(code)}: ${written}`))
    })
    if (args[1] === 'all') child.stdin?.end()
  })
}

describeOnUnix('lines() of a pipe that is silent does not keep the program alive when it is left', () => {
  it('of a named pipe', async () => {
    const path = pipe('left')
    const writer = openSync(path, 'r+')
    writeSync(writer, 'one\ntwo')
    expect(await run([path], 'pipe')).toBe('one\n')
    closeSync(writer)
  })

  it.each(['/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'])('of %s, where that is a pipe', async (path) => {
    const writer = openSync(pipe(path.replaceAll('/', '-')), 'r+')
    writeSync(writer, 'one\ntwo')
    expect(await run([path], writer)).toBe('one\n')
    closeSync(writer)
  })

  it('of /dev/stdin, where that is a socket', async () => {
    expect(await run(['/dev/stdin'], 'pipe', 'one\ntwo')).toBe('one\n')
  })

  it('nor when no writer has opened it yet', async () => {
    const reading = lines(pipe('nobody'))
    const waiting = reading.next()
    await reading.return()
    expect(await waiting).toEqual({ done: true, value: undefined })
  })
})

describeOnUnix('lines() reads to the end', () => {
  const many = Array.from({ length: 50_000 }, (_, n) => `line ${n}`)

  it('a named pipe, if either side opens it first', async () => {
    const path = pipe('read')
    const reading = lines(path)
    const first = reading.next()
    const writer = spawn('sh', ['-c', `seq -f 'line %.0f' 0 49999 > '${path}'`])
    const given = [(await first).value]
    for await (const line of reading) given.push(line)
    expect(given).toEqual(many)
    expect(writer.exitCode ?? 0).toBe(0)
  })

  it.each([
    ['a pipe', `seq -f 'line %.0f' 0 49999 | "$0" "$1" /dev/stdin all`],
    ['a file', `seq -f 'line %.0f' 0 49999 > "$2"; "$0" "$1" /dev/stdin all < "$2"`],
    ['the output of a command', `"$0" "$1" <(seq -f 'line %.0f' 0 49999) all`],
  ])('%s that a shell gives', (_, command) => {
    const output = execFileSync('bash', ['-c', command, process.execPath, program, join(folder, 'input')])
    expect(output.toString().split('\n').slice(0, -1)).toEqual(many)
  })

  it('/dev/stdin, where that is a socket', async () => {
    const text = `${many.join('\n')}\n`
    expect(await run(['/dev/stdin', 'all'], 'pipe', text)).toBe(text)
  })

  it('a device', async () => {
    for await (const line of lines('/dev/null')) expect(line).toBe('')
    const zeros = lines('/dev/zero', { maxLength: 10 })
    await expect(zeros.next()).rejects.toMatchObject({ code: 'ERR_LINE_TOO_LONG', path: '/dev/zero' })
  })
})
