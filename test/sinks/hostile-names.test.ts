/** Names from data and from input files never lead out of the target, whatever they are. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { csv, files, lines, pipe, Pool, write } from 'millrace'
import { same } from '../fixtures/records.js'
import { useFolder } from './folder.js'

const folder = useFolder()
const pool = new Pool({ workers: 2 })
afterAll(() => pool.terminate())

const HOSTILE = [
  '../x',
  '..',
  '.',
  '',
  '/etc/passwd',
  'C:\\x',
  '\0',
  'a/../../b',
  '~',
  '-rf',
  '\u202etxt',
  '$(x)',
  'x'.repeat(80),
]

describe('partitions', () => {
  it('from workers stay in the target, by a column and by a function', async () => {
    const rows = HOSTILE.map((k) => ({ k }))
    await pipe(pool.imap(same, rows), write(folder.at('deep', 'out'), { partition: 'k' }))
    const partition = ({ k }: { k: string }): string => `n${k}`
    await pipe(
      pool.imap(same, rows),
      write(folder.at('deep', 'fn'), { partition: partition as (row: unknown) => string }),
    )
    expect(folder.files('deep', 'out')).toHaveLength(HOSTILE.length)
    expect(folder.files('deep', 'fn')).toHaveLength(HOSTILE.length)
    for (const name of folder.files()) expect(name).toMatch(/^deep\/(out|fn)\/[^/]+\/part\.csv$/)
  })

  it('of a name that is too long are an error that says so, and leave nothing behind', async () => {
    const writing = write(folder.at('out'), { partition: 'k' })([{ k: 'a' }, { k: 'x'.repeat(5_000) }])
    await expect(writing).rejects.toMatchObject({
      code: 'ENAMETOOLONG',
      message: expect.stringMatching(/longer than that disk allows.*use a shorter one\)$/) as string,
    })
    expect(folder.files()).toEqual([])
  })

  it('that differ only in case never mix', async () => {
    const writing = write(folder.at('out'), { partition: 'k', format: 'ndjson' })([{ k: 'a' }, { k: 'A' }])
    const outcome = await writing.then(
      () => folder.files('out'),
      (error: unknown) => (error as { code?: string }).code,
    )
    // The second is of a disk that ignores case.
    expect([['k=A/part.ndjson', 'k=a/part.ndjson'], 'ERR_OUTPUT_REPLACED']).toContainEqual(outcome)
  })
})

describe('a template', () => {
  const inputs = [
    '...csv',
    '..csv',
    '...csv.gz',
    '....csv',
    '.csv',
    '~.csv',
    '-rf.csv',
    '$(x).csv',
    '{dir}.csv',
    '$&.csv',
  ]

  it('of inputs with such names stays in its folder', async () => {
    mkdirSync(folder.at('in'))
    for (const name of inputs) writeFileSync(folder.at('in', name), 'a\n1\n')
    const paths = inputs.map((name) => folder.at('in', name))
    for (const template of ['{index}-{name}', '{name}/{index}.ndjson', '{dir}/{index}/{name}/x.ndjson']) {
      await pipe(csv(paths), pool.imap(same), write(folder.at('out', template), { format: 'ndjson' }))
    }
    const names = folder.files().filter((name) => !name.startsWith('in/'))
    expect(names).toHaveLength(3 * inputs.length)
    for (const name of names) expect(name).toMatch(/^out\//)
  })

  it('of a glob that begins above stays in its folder', async () => {
    mkdirSync(folder.at('in', 'deep'), { recursive: true })
    writeFileSync(folder.at('in', 'deep', 'a.txt'), 'x\n')
    const glob = folder.at('in', 'deep') + '/../**/*.txt'
    await pipe(lines(files(glob)), write(folder.at('out', '{dir}', '{name}')))
    for (const name of folder.files()) expect(name).toMatch(/^(in|out)\//)
  })

  it('of a name that becomes too long is an error that says so', async () => {
    const path = folder.at(`${'x'.repeat(250)}.csv`)
    writeFileSync(path, 'a\n1\n')
    await expect(pipe(csv(path), write(folder.at('out', '{name}.ndjson')))).rejects.toMatchObject({
      code: 'ENAMETOOLONG',
      message: expect.stringMatching(/use a shorter one/) as string,
    })
    expect(folder.files()).toEqual([`${'x'.repeat(250)}.csv`])
  })
})
