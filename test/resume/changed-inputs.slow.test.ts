/** Inputs that are not as an earlier run has read them: what was read must be there, and more may follow. */
import { appendFileSync, copyFileSync, existsSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { write, type WriteResult } from '#dist/sinks/write.js'
import { csv } from '#dist/sources/csv.js'
import { files } from '#dist/sources/files.js'
import { imap } from '#dist/verbs/imap.js'
import { useFolder } from '../sinks/folder.js'

const folder = useFolder()

const ROWS = 20_000
/** The run ends in the second file, which is read in several blocks. */
const STOP = 24_000

function text(name: string, from = 0, to = ROWS): string {
  const header = from === 0 ? 'file,number\n' : ''
  return header + Array.from({ length: to - from }, (_, at) => `${name},${from + at}`.padEnd(40, '.') + '\n').join('')
}

type Name = 'b' | 'c'

/** The paths of the inputs, which have a suffix. */
let suffix = ''
const path = (name: string): string => folder.at(`in-${name}.csv${suffix}`)
const put = (name: string, content: string): void => {
  writeFileSync(path(name), suffix === '' ? content : gzipSync(content))
}

/** @param stop Behind how many rows it is aborted. */
async function run(output: string, stop = Infinity): Promise<WriteResult> {
  const controller = new AbortController()
  let count = 0
  const row = (given: object): object => {
    if (++count === stop) controller.abort(new Error('stopped'))
    return given
  }
  const rows = imap(row, csv(files(folder.at('in-*.csv*'))), { workers: 0, chunksize: 100 })
  return await write(folder.at(output), { resume: { interval: 1 }, signal: controller.signal })(rows)
}

/** Two inputs, and a run that was stopped in the second one. */
async function stopped(): Promise<void> {
  for (const name of ['b', 'c'] as const) put(name, text(name))
  await expect(run('out.ndjson', STOP)).rejects.toThrow('stopped')
  expect(existsSync(folder.at('out.ndjson.checkpoint'))).toBe(true)
}

async function goesOn(): Promise<void> {
  const { resumed, written } = await run('out.ndjson')
  const whole = await run('whole.ndjson')
  expect({ resumed, written }).toEqual({ resumed: true, written: whole.written })
  expect(folder.read('out.ndjson') === folder.read('whole.ndjson')).toBe(true)
}

const accepted: readonly (readonly [what: string, change: () => unknown])[] = [
  [
    'the file that was being read has grown',
    () => {
      appendFileSync(path('c'), text('c', ROWS, ROWS + 10))
    },
  ],
  [
    'it is a copy',
    () => {
      replaceBy('c', () => {
        copyFileSync(path('c'), folder.at('copy'))
      })
    },
  ],
  [
    'the one before is a copy',
    () => {
      replaceBy('b', () => {
        copyFileSync(path('b'), folder.at('copy'))
      })
    },
  ],
  [
    'it is shorter, behind what was read',
    () => {
      truncateSync(path('c'), text('c', 0, ROWS - 10).length)
    },
  ],
  [
    'a file has come behind it',
    () => {
      put('d', text('d'))
    },
  ],
]

const refused: readonly (readonly [what: string, change: () => unknown, message: RegExp])[] = [
  [
    'one that was being read is shorter',
    () => {
      truncateSync(path('c'), 100)
    },
    /in-c\.csv' must have the \d+ bytes that/,
  ],
  [
    'one that was read is shorter',
    () => {
      truncateSync(path('b'), 100)
    },
    /in-b\.csv' must have the \d+ bytes that/,
  ],
  [
    'one is gone',
    () => {
      rmSync(path('b'))
    },
    /in-b\.csv' must be there, as an earlier run has read it/,
  ],
  [
    'one of the same size is in its place',
    () => {
      put('b', text('x'))
    },
    /in-b\.csv' must begin with the same \d+ bytes/,
  ],
  ['they have changed their places', swap, /in-[bc]\.csv' must begin with the same \d+ bytes/],
  [
    'its end is another one',
    () => {
      put('b', text('b', 0, ROWS - 1) + text('x', ROWS - 1))
    },
    /in-b\.csv' must have the same bytes before byte \d+/,
  ],
  [
    'a file has come before it',
    () => {
      put('a', text('a'))
    },
    /in-a\.csv' must not come before '.*in-b\.csv'/,
  ],
  [
    'one came between',
    () => {
      put('bb', text('a'))
    },
    /in-bb\.csv' must not come before '.*in-c\.csv'/,
  ],
]

function replaceBy(name: Name, copy: () => void): void {
  copy()
  rmSync(path(name))
  renameSync(folder.at('copy'), path(name))
}

function swap(): void {
  renameSync(path('b'), folder.at('copy'))
  renameSync(path('c'), path('b'))
  renameSync(folder.at('copy'), path('c'))
}

describe('plain files', () => {
  beforeEach(() => {
    suffix = ''
  })

  it.each(accepted)('goes on: %s', async (_, change) => {
    await stopped()
    change()
    await goesOn()
  })

  it.each(refused)('refuses: %s', async (_, change, message) => {
    await stopped()
    const part = folder.read('out.ndjson.part')
    const checkpoint = folder.read('out.ndjson.checkpoint')
    change()
    await expect(run('out.ndjson')).rejects.toMatchObject({
      name: 'CheckpointError',
      code: 'ERR_CHECKPOINT_INPUT',
      message: expect.stringMatching(message) as string,
    })
    // Nothing has changed: with the inputs as they were, it goes on.
    expect(folder.read('out.ndjson.part')).toBe(part)
    expect(folder.read('out.ndjson.checkpoint')).toBe(checkpoint)
    expect(folder.files().filter((name) => name.endsWith('.lock'))).toEqual([])
    for (const name of ['a', 'bb']) rmSync(path(name), { force: true })
    for (const name of ['b', 'c'] as const) put(name, text(name))
    await goesOn()
  })

  it('does not read what was added to a file that had been read to its end', async () => {
    await stopped()
    appendFileSync(path('b'), text('b', ROWS, ROWS + 10))
    const { written } = await run('out.ndjson')
    expect(written).toBe(2 * ROWS)
  })
})

describe('gzip', () => {
  beforeEach(() => {
    suffix = '.gz'
  })

  it('goes on in a member that has grown by another one', async () => {
    await stopped()
    appendFileSync(path('c'), gzipSync(text('c', ROWS, ROWS + 10)))
    await goesOn()
  })

  it('refuses a file that is compressed again', async () => {
    await stopped()
    writeFileSync(path('b'), gzipSync(text('b'), { level: 1 }))
    await expect(run('out.ndjson')).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_INPUT' })
  })
})
