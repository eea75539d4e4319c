import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { lines } from 'millrace'

const DONE = { done: true, value: undefined }
const folder = mkdtempSync(join(tmpdir(), 'millrace-file-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const itOnLinux = process.platform === 'linux' ? it : it.skip

/** The number of open descriptors of this process for a path. */
function descriptors(path: string): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return undefined // the descriptor of the listing itself
    }
  })
  return links.filter((link) => link === path).length
}

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function collect(source: AsyncIterable<string>): Promise<string[]> {
  const given: string[] = []
  for await (const line of source) given.push(line)
  return given
}

/** More than three blocks of every used size. */
const expected = Array.from({ length: 300_000 }, (_, i) => `line ${String(i)} ä`)
const big = file('big', expected.join('\r\n'))

describe('lines() reads a file', () => {
  it('by path', async () => {
    expect(await collect(lines(big))).toEqual(expected)
  })

  it('by URL, with characters a URL encodes', async () => {
    expect(await collect(lines(pathToFileURL(file('a b#ü', 'one\n'))))).toEqual(['one'])
  })

  it('by URL as a string', async () => {
    expect(await collect(lines(pathToFileURL(file('c d#ü', 'one\n')).href))).toEqual(['one'])
  })

  it('that is empty', async () => {
    expect(await collect(lines(file('empty', '')))).toEqual([])
  })

  it('with a line longer than a block', async () => {
    const long = 'x'.repeat(3_000_000)
    expect(await collect(lines(file('long', `a\n${long}\nb`)))).toEqual(['a', long, 'b'])
  })

  it('from the beginning, each time anew', async () => {
    const path = file('twice', 'one\n')
    expect(await collect(lines(path))).toEqual(['one'])
    expect(await collect(lines(path))).toEqual(['one'])
  })

  it('only from the first next() on', async () => {
    const path = join(folder, 'late')
    const reading = lines(path)
    writeFileSync(path, 'one\n')
    expect(await collect(reading)).toEqual(['one'])
  })
})

describe('lines() gives the system error', () => {
  it('of a missing file at the first next(), then says done', async () => {
    const path = join(folder, 'missing')
    const reading = lines(path)
    await expect(reading.next()).rejects.toMatchObject({
      code: 'ENOENT',
      syscall: 'open',
      path,
      message: `ENOENT: no such file or directory, open '${path}'`,
    })
    expect(await reading.next()).toEqual(DONE)
    expect(await reading.return()).toEqual(DONE)
  })

  it('of a missing file by a relative path, with the working directory', async () => {
    await expect(lines('missing.log').next()).rejects.toMatchObject({
      code: 'ENOENT',
      message: `ENOENT: no such file or directory, open 'missing.log' (in the working directory ${process.cwd()})`,
      stack: expect.stringContaining('(in the working directory') as string,
    })
  })

  it('of a directory, with the path in it', async () => {
    await expect(lines(folder).next()).rejects.toMatchObject({
      code: 'EISDIR',
      path: folder,
      message: `EISDIR: illegal operation on a directory, read (a folder: for its files: files('FOLDER/*')) (in '${folder}')`,
      stack: expect.stringContaining(`files('FOLDER/*')) (in '${folder}')`) as string,
    })
  })

  it('of text that was taken for a path, with what to pass', async () => {
    for (const text of ['one\ntwo\n', 'a line\n'.repeat(100_000)]) {
      await expect(lines(text).next()).rejects.toMatchObject({
        code: text.length < 100 ? 'ENOENT' : 'ENAMETOOLONG',
        message: expect.stringContaining('(for the lines of text in memory: [Buffer.from(text)])') as string,
      })
    }
  })

  it('of a path that cannot be one', async () => {
    await expect(lines('a\0b').next()).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
  })

  it('once: calls that wait behind it say done', async () => {
    const reading = lines(join(folder, 'missing'))
    const settled = await Promise.allSettled([reading.next(), reading.next()])
    expect(settled).toMatchObject([{ reason: { code: 'ENOENT' } }, { value: DONE }])
  })

  it('with the path in errors of lines too', async () => {
    const path = file('too-long', 'a\nbcd\n')
    await expect(collect(lines(path, { maxLength: 2 }))).rejects.toMatchObject({
      code: 'ERR_LINE_TOO_LONG',
      line: 2,
      offset: 2,
      path,
      message: expect.stringContaining(`(in '${path}')`) as string,
    })
  })
})

describe('lines() leaves no descriptor open', () => {
  itOnLinux('after the end', async () => {
    const reading = lines(big)
    await reading.next()
    expect(descriptors(big)).toBe(1)
    await collect(reading)
    expect(descriptors(big)).toBe(0)
  })

  itOnLinux('after a break', async () => {
    for await (const line of lines(big)) {
      expect(line).toBe(expected[0])
      break
    }
    expect(descriptors(big)).toBe(0)
  })

  itOnLinux('after an error', async () => {
    await expect(collect(lines(big, { maxLength: 13 }))).rejects.toMatchObject({ code: 'ERR_LINE_TOO_LONG' })
    expect(descriptors(big)).toBe(0)
    await expect(lines(folder).next()).rejects.toMatchObject({ code: 'EISDIR' })
    expect(descriptors(folder)).toBe(0)
    const corrupt = file('corrupt.gz', Buffer.from([0x1f, 0x8b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))
    await expect(lines(corrupt).next()).rejects.toMatchObject({ code: 'ERR_DAMAGED_INPUT' })
    expect(descriptors(corrupt)).toBe(0)
  })

  itOnLinux('after return() while the file is being opened', async () => {
    const reading = lines(big)
    const waiting = reading.next()
    await reading.return()
    expect(descriptors(big)).toBe(0)
    expect(await waiting).toEqual(DONE)
  })

  itOnLinux('after return() while a read is pending, whose next() says done', async () => {
    const path = join(folder, 'pipe')
    execFileSync('mkfifo', [path])
    const writer = openSync(path, 'r+')
    writeSync(writer, 'one\ntwo')
    const reading = lines(path)
    expect(await reading.next()).toEqual({ done: false, value: 'one' })
    expect(descriptors(path)).toBe(2)
    const waiting = reading.next()
    const returned = reading.return()
    expect(await waiting).toEqual(DONE)
    writeSync(writer, 'three')
    expect(await returned).toEqual(DONE)
    expect(descriptors(path)).toBe(1)
    closeSync(writer)
  })
})
