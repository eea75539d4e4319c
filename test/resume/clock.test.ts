/** The clock of the machine is set back or forward, between two runs and during a run. */
import { readFileSync, writeFileSync } from 'node:fs'
import { watchSteps } from '#dist/disk/steps.js'
import { write, type WriteResult } from '#dist/sinks/write.js'
import { imap } from '#dist/verbs/imap.js'
import { useFolder } from '../sinks/folder.js'
import { failingSource } from '../support/marked-source.js'

const folder = useFolder()
const HOUR = 3_600_000
/** More than are read until a few checkpoints have been made. */
const ROWS = Array.from({ length: 20_000 }, (_, at) => at)
const BATCH = 50

/** The clock of the machine. It is this many milliseconds ahead of the true time. */
let ahead = 0
const RealDate = Date
const SetDate = new Proxy(RealDate, {
  construct: (target, given: readonly number[], made) =>
    Reflect.construct(target, given.length === 0 ? [target.now() + ahead] : given, made) as Date,
  get: (target, key) => (key === 'now' ? () => target.now() + ahead : (Reflect.get(target, key) as unknown)),
})

/** How many checkpoints have been published. */
let checkpoints = 0

beforeEach(() => {
  ahead = 0
  globalThis.Date = SetDate
  checkpoints = 0
  watchSteps(async (step, run) => {
    const result = await run()
    if (step.name === 'checkpoint.rename') checkpoints++
    return result
  })
})
afterEach(() => {
  globalThis.Date = RealDate
  watchSteps(undefined)
})

function setClock(by: number): void {
  ahead += by
}

/** @param onRead Called before each batch, with the number of rows before it. It may throw to end the run. */
async function run(interval: number, onRead?: (at: number) => unknown): Promise<WriteResult> {
  const rows = imap((row: number) => ({ row }), failingSource(ROWS, BATCH, undefined, onRead), { workers: 0 })
  return await write(folder.at('out.ndjson'), { resume: { interval } })(rows)
}

const bytes = ROWS.map((row) => `{"row":${row}}\n`).join('')

describe.each([
  ['back', -30 * HOUR],
  ['forward', 30 * HOUR],
])('a clock that is set %s', (_, by) => {
  it('during a run: checkpoints come as before, and a stopped run goes on', async () => {
    let isSet = false
    const stopped = run(1, () => {
      if (checkpoints === 1 && !isSet) {
        isSet = true
        setClock(by)
      }
      if (checkpoints === 3) throw new Error('stopped')
    })
    // If there were no checkpoints until the clock has caught up, it would be done.
    await expect(stopped).rejects.toThrow('stopped')
    const { resumed, written, duration } = await run(1, (at) => {
      if (at === ROWS.length - BATCH) setClock(by)
    })
    expect({ resumed, written }).toEqual({ resumed: true, written: ROWS.length })
    expect(duration > 0 && duration < HOUR).toBe(true)
    expect(folder.read('out.ndjson')).toBe(bytes)
    expect(folder.files()).toEqual(['out.ndjson'])
  })

  it('does not bring the next checkpoint forward', async () => {
    await run(HOUR, (at) => {
      if (at % 2_000 === 0) setClock(by)
    })
    // Only that at the end.
    expect(checkpoints).toBe(1)
    expect(folder.read('out.ndjson')).toBe(bytes)
  })

  it('between two runs: the lock of the first is known to be that of one that is gone', async () => {
    const lock = folder.at('out.ndjson.lock')
    let held = ''
    const stopped = run(1, () => {
      held ||= readFileSync(lock, 'utf8')
      if (checkpoints === 1) throw new Error('stopped')
    })
    await expect(stopped).rejects.toThrow('stopped')
    // As if the run had been killed.
    writeFileSync(lock, held)
    setClock(by)
    expect((await run(1)).resumed).toBe(true)
    expect(folder.files()).toEqual(['out.ndjson'])
  })

  it('does not let a second run in', async () => {
    await run(1, async (at) => {
      if (at !== 2_000) return
      setClock(by)
      await expect(run(1)).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_LOCKED' })
    })
    expect(folder.read('out.ndjson')).toBe(bytes)
  })
})
