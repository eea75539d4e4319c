/** Templates of paths: an output for each input file. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { csv, files, imap, lines, pipe, Pool, write } from 'millrace'
import { isTemplate, templatePaths } from '#dist/sinks/template.js'
import { copies, same } from '../fixtures/sinks.js'
import { watchRejections } from '../support/rejections.js'
import { useFolder } from './folder.js'

const folder = useFolder()
const pool = new Pool({ workers: 2, name: 'templates' })
watchRejections()
afterAll(() => pool.terminate())

/** Inputs of CSV in several folders: the rows of each have its number. */
function makeInputs(): void {
  mkdirSync(folder.at('in', 'x', 'y'), { recursive: true })
  for (const [n, name] of ['a.csv', 'x/a.csv', 'x/b.csv', 'x/y/a.csv'].entries()) {
    const rows = Array.from({ length: 300 }, (_, row) => `${n},${row}\n`)
    writeFileSync(folder.at('in', name), `file,n\n${rows.join('')}`)
  }
  writeFileSync(folder.at('in', 'x', 'empty.csv'), 'file,n\n')
}

function rowsOf(file: number): string {
  return `file,n\n${Array.from({ length: 300 }, (_, row) => `${file},${row}\n`).join('')}`
}

describe('a template', () => {
  it('writes an output for each input file, with the folder below the fixed part of the glob', async () => {
    makeInputs()
    for (const chunksize of [1, 7, 'auto'] as const) {
      const source = csv(files(folder.at('in', '**', '*.csv')))
      const stream = pool.imap(same, source, { chunksize })
      const result = await pipe(stream, write(folder.at('out', '{dir}', '{name}.csv')))
      expect(folder.files('out')).toEqual(['a.csv', 'x/a.csv', 'x/b.csv', 'x/y/a.csv'])
      for (const [n, name] of ['a.csv', 'x/a.csv', 'x/b.csv', 'x/y/a.csv'].entries()) {
        expect(folder.read('out', name)).toBe(rowsOf(n))
      }
      expect(result).toMatchObject({ read: 1200, written: 1200 })
      expect(result.files.map(({ records }) => records)).toEqual([300, 300, 300, 300])
    }
  })

  it('works without a stage, with a function on this thread, and with lines()', async () => {
    makeInputs()
    const paths = [folder.at('in', 'a.csv'), folder.at('in', 'x', 'b.csv')]
    for (const source of [csv(paths), imap((row: object) => row, csv(paths), { workers: 0 })]) {
      await pipe(source, write(folder.at('out', '{name}.csv.gz')))
      expect(gunzipSync(readFileSync(folder.at('out', 'b.csv.gz'))).toString()).toBe(rowsOf(2))
    }
    for (const stage of [pool.imap(same), imap((line: string) => line, { workers: 0 })]) {
      await pipe(lines(paths), stage as never, write(folder.at('{name}.txt')))
      expect(folder.read('b.txt')).toBe(rowsOf(2))
    }
    await pipe(lines(paths), write(folder.at('{index}.txt')))
    expect(folder.read('1.txt')).toBe(rowsOf(2))
  })

  it('counts inputs from 0, those without records too', async () => {
    makeInputs()
    const source = csv(files(folder.at('in', 'x', '*.csv')))
    await pipe(source, pool.flatMap(copies as never), write(folder.at('out', '{index}-{name}.ndjson')))
    expect(folder.files('out')).toEqual(['0-a.ndjson', '1-b.ndjson'])
    writeFileSync(folder.at('in', 'x', 'aa.csv'), 'file,n\n')
    const again = csv(files(folder.at('in', 'x', '*.csv')))
    await pipe(again, pool.flatMap(copies as never), write(folder.at('two', '{index}-{name}.ndjson')))
    expect(folder.files('two')).toEqual(['0-a.ndjson', '2-b.ndjson'])
  })

  it('gives each output its own columns', async () => {
    writeFileSync(folder.at('a.csv'), 'x,y\n1,2\n3,4\n')
    writeFileSync(folder.at('b.csv'), 'z\n5\n')
    for (const chunksize of [1, 'auto'] as const) {
      const source = csv([folder.at('a.csv'), folder.at('b.csv')])
      await pipe(source, pool.imap(same, { chunksize }), write(folder.at('out', '{name}.tsv')))
      expect(folder.read('out', 'a.tsv')).toBe('x\ty\n1\t2\n3\t4\n')
      expect(folder.read('out', 'b.tsv')).toBe('z\n5\n')
    }
  })

  it('refuses two inputs with one output, and an output that is an input', async () => {
    makeInputs()
    const both = csv([folder.at('in', 'a.csv'), folder.at('in', 'x', 'a.csv')])
    await expect(pipe(both, write(folder.at('out', '{name}.csv')))).rejects.toMatchObject({
      code: 'ERR_OUTPUT_EXISTS',
      message: expect.stringMatching(
        /as two inputs have this output: received '.*' and '.*' \(use \{dir\} or \{index\}\)/,
      ) as string,
    })
    const onItself = csv(files(folder.at('in', 'x', '*.csv')))
    await expect(pipe(onItself, write(folder.at('in', 'x', '{name}.csv')))).rejects.toMatchObject({
      code: 'ERR_OUTPUT_IS_INPUT',
    })
    expect(folder.files()).not.toContain('out/a.csv')
    expect(folder.read('in', 'x', 'a.csv')).toBe(rowsOf(1))
  })

  it('refuses items whose file is not known', async () => {
    makeInputs()
    const chained = pipe(csv(folder.at('in', 'a.csv')), pool.imap(same), pool.imap(same, { errors: 'skip' }))
    const sink = write(folder.at('out', '{name}.ndjson'))
    for (const source of [[1], chained, pool.imap(same, [1])]) {
      expect(() => pipe(source as Iterable<unknown>, sink)).toThrow(
        expect.objectContaining({
          code: 'ERR_INVALID_SOURCE',
          message: expect.stringMatching(/the target is a template, and the source must know the file/) as string,
        }) as Error,
      )
    }
    await expect(pipe(csv([Buffer.from('a\n1\n')]), sink)).rejects.toMatchObject({
      code: 'ERR_OUTPUT_FORMAT',
      message: expect.stringMatching(
        /item 0 as ndjson as the target is a template and its input file is not known/,
      ) as string,
    })
    expect(folder.files().filter((name) => name.startsWith('out'))).toEqual([])
    expect(() => write('{name}.csv', { partition: 'a' })).toThrow("'partition' must be left out for a template")
  })
})

describe('the placeholders of a template', () => {
  const paths = ['in/a.csv.gz', 'in/b/c.tar.zst', 'in/.hidden', 'in/b/x.y.csv']
  const outputs = (template: string, globs: string[]): string[] => {
    const outputOf = templatePaths(template, { indexOf: (path) => paths.indexOf(path), globs: () => globs })
    return paths.map((path) => outputOf(path))
  }

  it('are the name without suffixes, the folder, and the number', () => {
    expect(outputs('{name}', ['in/**'])).toEqual(['a', 'c', '.hidden', 'x.y'])
    expect(outputs('out/{dir}/{name}', ['in/**/*.*'])).toEqual(['out/a', 'out/b/c', 'out/.hidden', 'out/b/x.y'])
    expect(outputs('out/{dir}/{name}', ['in/**', 'in/b/*'])).toEqual(['out/a', 'out/c', 'out/.hidden', 'out/x.y'])
    expect(outputs('out/{dir}-{index}', [])).toEqual(['out/.-0', 'out/.-1', 'out/.-2', 'out/.-3'])
    expect(['{name}', 'a/{dir}/b', 'x{index}'].every(isTemplate)).toBe(true)
    expect(['name', '{x}', '{}', '{name'].some(isTemplate)).toBe(false)
  })
})
