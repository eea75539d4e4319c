import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compiled } from './run.js'

const { makeLog } = (await import(compiled('access-log/make-log.js'))) as {
  makeLog: (path: string, size: number) => Promise<void>
}

describe('makeLog()', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-make-log-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  it('makes the same log every time, of the size asked for and whole lines', async () => {
    const path = join(folder, 'a.log')
    await makeLog(path, 1_000_000)
    const bytes = await readFile(path)
    expect(bytes.length).toBeGreaterThanOrEqual(1_000_000)
    expect(bytes.length).toBeLessThan(1_001_000)
    expect(bytes.at(-1)).toBe(10)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(
      '82eaf8b93220504175806425c7c32aa29acdb224fcaa4807c1302d5a21dd557d',
    )
    expect(await readdir(folder)).toEqual(['a.log'])
  })

  it('leaves nothing when it fails', async () => {
    await writeFile(join(folder, 'file'), '')
    await expect(makeLog(join(folder, 'file', 'a.log'), 1_000)).rejects.toMatchObject({ code: 'ENOTDIR' })
    expect(await readdir(folder)).toEqual(['file'])
  })
})
