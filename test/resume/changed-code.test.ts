/** Modules of tasks that are not as an earlier run has had them. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { write, type WriteResult } from '#dist/sinks/write.js'
import { csv, tsv } from '#dist/sources/csv.js'
import { fixed } from '#dist/sources/fixed.js'
import { lines } from '#dist/io/lines.js'
import { imap } from '#dist/verbs/imap.js'
import { task } from '#dist/task.js'
import { useFolder } from '../sinks/folder.js'

const folder = useFolder()
const ROWS = 20_000
const STOP = 15_000
const inline = { workers: 0, chunksize: 100 } as const

/** A task of a module in this folder. Nobody imports it, as all runs on this thread. */
function taskIn(name: string) {
  return task(pathToFileURL(folder.at(name, 'tasks.mjs')).href, 'own', (text: string) => text)
}

function putModule(name: string, text: string): void {
  mkdirSync(folder.at(name), { recursive: true })
  writeFileSync(folder.at(name, 'tasks.mjs'), text)
}

/** What gives the rows of the input, with a task of the module. */
const sources: Readonly<Record<string, (module: string) => AsyncIterable<unknown>>> = {
  'types of csv()': (module) => csv(folder.at('in'), { types: { position: taskIn(module) } }),
  'types of tsv()': (module) => tsv(folder.at('in'), { header: ['position'], types: { position: taskIn(module) } }),
  'types of fixed()': (module) =>
    fixed(folder.at('in'), { columns: { position: 8 }, types: { position: taskIn(module) } }),
  'a stage': (module) => imap(taskIn(module), lines(folder.at('in')), inline),
  'one of two stages, with the same name in another folder': (module) =>
    imap(taskIn(module), imap(taskIn('other'), lines(folder.at('in')), inline), inline),
}

describe.each(Object.entries(sources))('the module of %s', (_, open) => {
  const run = async (module: string, stop = Infinity, allowChangedCode = false): Promise<WriteResult> => {
    const controller = new AbortController()
    let count = 0
    const row = (given: unknown): unknown => {
      if (++count === stop) controller.abort(new Error('stopped'))
      return given
    }
    const options = { resume: { interval: 1, allowChangedCode }, signal: controller.signal }
    return await write(folder.at('out.ndjson'), options)(imap(row, open(module), inline))
  }

  beforeEach(async () => {
    for (const name of ['one', 'other']) putModule(name, `// ${name}`)
    const numbers = Array.from({ length: ROWS }, (_, at) => `${at}`.padStart(8, '0') + '\n')
    writeFileSync(folder.at('in'), ['position\n', ...numbers].join(''))
    await expect(run('one', STOP)).rejects.toThrow('stopped')
  })

  it('must be the same, unless that is allowed', async () => {
    putModule('one', '// changed')
    const part = folder.read('out.ndjson.part')
    await expect(run('one')).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_CODE',
      message: expect.stringContaining("'tasks.mjs#own' has changed") as string,
    })
    expect(folder.read('out.ndjson.part')).toBe(part)
    expect((await run('one', Infinity, true)).resumed).toBe(true)
  })

  it('may be in another folder', async () => {
    renameSync(folder.at('one'), folder.at('two'))
    expect((await run('two')).resumed).toBe(true)
  })
})
