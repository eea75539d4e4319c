/** The checkpoint file: replaced as a whole, and refused if it is not as it was written. */
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { CheckpointFile } from '#dist/resume/checkpoint-file.js'
import type { CheckpointContent } from '#dist/resume/checkpoint-text.js'
import { CheckpointError } from '#dist/errors.js'
import { useFolder } from '../sinks/folder.js'
import { atEachStep, stoppedAt } from '../support/stopped-steps.js'

const folder = useFolder()

const content: CheckpointContent = {
  state: 'running',
  run: 'a run',
  millrace: '1.2.3',
  plan: { source: ['csv', { '2': null, '1': 'ü\u2028"' }] },
  code: { 'clean.js#clean': 'abc' },
  points: [{ offset: 1e15, record: 3 }, null],
  outputs: [{ path: 'out.csv', length: 12 }],
  rejects: null,
  counts: { read: 3 },
}
const rests = ['one\n', '', 'two\n'].map((text) => Buffer.from(text))

function checkpoint(): CheckpointFile {
  return new CheckpointFile(folder.at('x', 'a.checkpoint'))
}

async function published(): Promise<CheckpointFile> {
  const file = checkpoint()
  await file.publish(content, rests)
  return file
}

async function readAll(): Promise<string | undefined> {
  const file = checkpoint()
  const found = await file.read()
  return found && `${found.run}: ${Buffer.from(await file.readRests(found)).toString()}`
}

describe('a checkpoint', () => {
  it('is undefined where there is none', async () => {
    expect(await checkpoint().read()).toBeUndefined()
  })

  it('is read as it was published, with the texts that belong to it', async () => {
    await published()
    const file = checkpoint()
    const found = await file.read()
    expect(found).toMatchObject({ version: 1, ...content })
    if (found === undefined) throw new Error('There is none')
    expect(Buffer.from(await file.readRests(found)).toString()).toBe('one\ntwo\n')
  })

  it('leaves nothing of the one before it, and nothing when it is removed', async () => {
    const file = await published()
    expect(folder.files('x')).toEqual(['a.checkpoint', 'a.checkpoint.rests-0'])
    await file.publish({ ...content, run: 'second' }, [Buffer.from('three')])
    expect(folder.files('x')).toEqual(['a.checkpoint', 'a.checkpoint.rests-1'])
    expect(await readAll()).toBe('second: three')
    await file.publish({ ...content, run: 'third' })
    expect(folder.files('x')).toEqual(['a.checkpoint'])
    expect(await readAll()).toBe('third: ')
    writeFileSync(folder.at('x', 'a.checkpoint.tmp'), 'left behind')
    await file.remove()
    expect(folder.files()).toEqual([])
  })

  it('is the old one or the new one, whole, if the program is killed at any step', async () => {
    const seen = new Set<string | undefined>()
    await atEachStep(async (stop) => {
      rmSync(folder.at('x'), { recursive: true, force: true })
      await published()
      const file = checkpoint()
      await file.read()
      const { steps } = await stoppedAt(stop, () => file.publish({ ...content, run: 'new' }, [Buffer.from('new')]))
      const found = await readAll()
      seen.add(found)
      // A later run has left nothing but its own.
      await (await published()).remove()
      expect(folder.files()).toEqual([])
      return steps
    })
    expect(seen).toEqual(new Set(['a run: one\ntwo\n', 'new: new']))
  })
})

describe('a checkpoint that is not as it was written', () => {
  const path = (): string => folder.at('x', 'a.checkpoint')
  const damages: [what: string, change: (text: string) => string, reason: string][] = [
    ['is no JSON', (text) => text.slice(0, -20), 'it is not JSON'],
    ['is empty', () => '', 'it is not JSON'],
    ['is another value', () => '[1]', 'it is not as it was written'],
    ['is null', () => 'null', 'it is not as it was written'],
    ['has a changed number', (text) => text.replace('"length":12', '"length":11'), 'it is not as it was written'],
    ['has lost a field', (text) => text.replace('"rejects":null,', ''), 'it is not as it was written'],
    ['has another state', (text) => text.replace('"running"', '"over"'), 'it is not as it was written'],
    [
      'has a version that is no number',
      (text) => text.replace('"version":1', '"version":"2"'),
      'it is not as it was written',
    ],
  ]
  it.each(damages)('is refused if it %s', async (_, change, reason) => {
    await published()
    writeFileSync(path(), change(readFileSync(path(), 'utf8')))
    const error = await checkpoint()
      .read()
      .catch((error: unknown) => error)
    expect(error).toBeInstanceOf(CheckpointError)
    expect(error).toMatchObject({
      code: 'ERR_CHECKPOINT_DAMAGED',
      path: path(),
      message: `Cannot go on with '${path()}' as ${reason} (remove it to begin again)`,
    })
  })

  it('is refused if a newer version of this library has written it', async () => {
    await published()
    const text = readFileSync(path(), 'utf8').replace('"version":1', '"version":2')
    writeFileSync(path(), text)
    await expect(checkpoint().read()).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_VERSION',
      message: expect.stringContaining('it is of a newer version of millrace (1.2.3)') as string,
    })
  })

  it('is read if only its spaces are others', async () => {
    await published()
    writeFileSync(path(), JSON.stringify(JSON.parse(readFileSync(path(), 'utf8')), null, 2))
    expect(await readAll()).toBe('a run: one\ntwo\n')
  })

  const losses: [what: string, damage: (path: string) => void, reason: string][] = [
    ['missing', rmSync, 'is missing'],
    [
      'shorter',
      (rests) => {
        truncateSync(rests, 7)
      },
      'is not as it was written',
    ],
    [
      'changed',
      (rests) => {
        writeFileSync(rests, 'one\ntwO\n')
      },
      'is not as it was written',
    ],
  ]
  it.each(losses)('is refused if the text that belongs to it is %s', async (_, damage, reason) => {
    await published()
    damage(`${path()}.rests-0`)
    await expect(readAll()).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_DAMAGED',
      message: expect.stringContaining(`'${path()}.rests-0', which belongs to it, ${reason}`) as string,
    })
  })
})
