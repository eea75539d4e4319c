/** Files of a complete run get their names, whatever an earlier process has done of that. */
import { linkSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { InputFiles } from '#dist/disk/input-files.js'
import { publishFiles } from '#dist/disk/publication.js'
import { atEachStep, stoppedAt } from '../support/stopped-steps.js'
import { useFolder } from './folder.js'

const folder = useFolder()
const inputs = new InputFiles(() => [])

/** Two files that are whole, and their names. */
function whole(): { path: string; bytes: number }[] {
  return ['a', 'b'].map((name) => {
    writeFileSync(folder.at(`${name}.part`), `new ${name}`)
    return { path: folder.at(name), bytes: 5 }
  })
}

describe.each([true, false])('with overwrite: %s', (overwrite) => {
  it('files are published by the run that goes on, at whatever step the one before was killed', async () => {
    await atEachStep(async (stop) => {
      for (const name of folder.files()) rmSync(folder.at(name))
      const files = whole()
      if (overwrite) writeFileSync(folder.at('a'), 'old')
      const publish = (): Promise<void> => publishFiles(files, { overwrite, inputs })
      const { steps } = await stoppedAt(stop, publish)
      if (overwrite) expect(['old', 'new a']).toContain(readFileSync(folder.at('a'), 'utf8'))
      await publish()
      expect(folder.files().map((name) => [name, folder.read(name)])).toEqual([
        ['a', 'new a'],
        ['b', 'new b'],
      ])
      return steps
    })
  })
})

it('a file that a link leads to is published where the link leads', async () => {
  writeFileSync(folder.at('real'), 'old')
  writeFileSync(folder.at('real.part'), 'new')
  symlinkSync(folder.at('real'), folder.at('link'))
  for (let round = 0; round < 2; round++) {
    await publishFiles([{ path: folder.at('link'), bytes: 3 }], { overwrite: true, inputs })
  }
  expect(folder.files()).toEqual(['link', 'real'])
  expect(folder.read('real')).toBe('new')
})

describe('files that are not published', () => {
  const cases: [what: string, change: () => void, error: object][] = [
    [
      'another program has made the file',
      () => {
        writeFileSync(folder.at('b'), '')
      },
      { code: 'ERR_OUTPUT_EXISTS' },
    ],
    [
      'the whole file has lost bytes',
      () => {
        truncateSync(folder.at('b.part'), 4)
      },
      { code: 'ERR_CHECKPOINT_OUTPUT' },
    ],
    [
      'the whole file is gone',
      () => {
        rmSync(folder.at('b.part'))
      },
      { code: 'ERR_CHECKPOINT_OUTPUT' },
    ],
    [
      'the file has its name, but is another one',
      () => {
        renameSync(folder.at('b.part'), folder.at('b'))
        writeFileSync(folder.at('b'), 'of another program')
      },
      { code: 'ERR_CHECKPOINT_OUTPUT' },
    ],
  ]
  it.each(cases)('as %s', async (_, change, error) => {
    const files = whole()
    change()
    await expect(publishFiles(files, { overwrite: false, inputs })).rejects.toMatchObject({
      ...error,
      path: folder.at('b'),
    })
  })

  it('as the file is an input, by another name', async () => {
    const files = whole()
    writeFileSync(folder.at('input'), 'read')
    linkSync(folder.at('input'), folder.at('b'))
    const read = new InputFiles(() => [folder.at('input')])
    const published = publishFiles(files, { overwrite: true, inputs: read })
    await expect(published).rejects.toMatchObject({ code: 'ERR_OUTPUT_IS_INPUT' })
    expect(folder.read('input')).toBe('read')
  })
})
