/** Which files a host reads: those below folders that it names. */
import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDataFile, setDataFolders } from '#dist/io/data-folder.js'
import { rejection } from '../support/matrix.js'

const VARIABLE = 'MILLRACE_DATA_FOLDERS'
const base = realpathSync(mkdtempSync(join(tmpdir(), 'data-')))
const logs = join(base, 'logs')
const secret = join(base, 'secret')

beforeAll(() => {
  mkdirSync(join(logs, 'deep'), { recursive: true })
  for (const path of [join(logs, 'a.log'), join(logs, 'deep', 'b.log'), secret, `${logs}-old`])
    writeFileSync(path, path)
  symlinkSync(join(logs, 'a.log'), join(logs, 'inside'))
  symlinkSync(secret, join(logs, 'outside'))
  symlinkSync(base, join(logs, 'up'))
  symlinkSync(join(base, 'none'), join(logs, 'nowhere'))
  symlinkSync(logs, join(base, 'link'))
})
beforeEach(() => {
  setDataFolders(new Map([['logs', logs]]))
})
afterEach(() => {
  Reflect.deleteProperty(process.env, VARIABLE)
})

async function read(path: string, name: string | undefined): Promise<string> {
  const file = await openDataFile(path, name)
  try {
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

it('are those in the folder, also by links within it', async () => {
  expect(await read('a.log', 'logs')).toBe(join(logs, 'a.log'))
  expect(await read('deep/b.log', 'logs')).toBe(join(logs, 'deep', 'b.log'))
  expect(await read('inside', 'logs')).toBe(join(logs, 'a.log'))
})

it('the folder itself may be reached by a link', async () => {
  setDataFolders(new Map([['logs', join(base, 'link')]]))
  expect(await read('a.log', 'logs')).toBe(join(logs, 'a.log'))
  expect(await rejection(read('outside', 'logs'))).toMatchObject({ code: 'ERR_DATA_FOLDER' })
})

it.each([
  '../secret',
  'deep/../../secret',
  'deep/../a.log',
  './a.log',
  '..',
  '.',
  '',
  '/',
  secret,
  `/${secret}`,
  'deep//b.log',
  'deep/',
  'a.log\0',
  'outside',
  'up/secret',
  'up/logs-old',
  '../logs-old',
])('are not: %j', async (path) => {
  expect(await rejection(read(path, 'logs'))).toMatchObject({ name: 'MillraceError', code: 'ERR_DATA_FOLDER' })
})

it('that do not exist give the error of the system', async () => {
  for (const path of ['none', 'nowhere', 'a.log/b']) {
    expect(await rejection(read(path, 'logs'))).toMatchObject({
      code: expect.stringMatching(/^ENO(ENT|TDIR)$/) as string,
    })
  }
})

it.each([undefined, 'other', '__proto__', 'constructor', ''])(
  'are not below the folder %j, which has not been named',
  async (name) => {
    expect(await rejection(read('a.log', name))).toMatchObject({ code: 'ERR_DATA_FOLDER' })
    expect(await rejection(read(join(logs, 'a.log'), name))).toMatchObject({ code: 'ERR_DATA_FOLDER' })
  },
)

it('are any where there is no host, by their paths alone', async () => {
  Reflect.deleteProperty(process.env, VARIABLE)
  expect(await read(secret, undefined)).toBe(secret)
  expect(await rejection(read('a.log', 'logs'))).toMatchObject({
    code: 'ERR_DATA_FOLDER',
    message: expect.stringContaining(
      "there is no folder 'logs' here: a host names it with --data logs=DIR (it has none)",
    ) as string,
  })
})
