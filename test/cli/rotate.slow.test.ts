/** `--rotate`: files of a size, which appear only if the run has succeeded. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { CommandFolder } from '../support/command-line.js'

const folder = new CommandFolder()

beforeAll(() => {
  folder.write('numbers.txt', Array.from({ length: 50_000 }, (_, n) => `${n}\n`).join(''))
})

it('writes files of at most the size, in order', async () => {
  const run = await folder.run(['-e', '({ n: d })', 'numbers.txt', '-o', 'out/part-{n}.csv', '--rotate', '64K'])
  expect(run).toMatchObject({ code: 0, stdout: '', stderr: '' })
  const names = readdirSync(folder.at('out')).sort()
  expect(names.slice(0, 2)).toEqual(['part-00000.csv', 'part-00001.csv'])
  expect(names).toHaveLength(5)
  const texts = names.map((name) => readFileSync(folder.at('out', name), 'utf8'))
  expect(texts.every((text) => text.startsWith('n\n'))).toBe(true)
  expect(names.every((name) => statSync(folder.at('out', name)).size <= 65_536)).toBe(true)
  expect(texts.map((text) => text.slice(2)).join('')).toBe(readFileSync(folder.at('numbers.txt'), 'utf8'))
})

it('publishes nothing if an item fails', async () => {
  const stage = 'd === "40000" ? d.x.y : d'
  const run = await folder.run(['-e', stage, 'numbers.txt', '-o', 'none/{n}.txt', '--rotate', '1K'])
  expect(run).toMatchObject({ code: 1 })
  expect(readdirSync(folder.at('none'))).toEqual([])
})
