/** Which paths the outputs of a target can have. */
import { outputNames } from '#dist/sinks/output-names.js'

it.each<[target: string, isFolder: boolean, outputs: readonly string[], others: readonly string[]]>([
  ['out/a.csv', false, ['out/a.csv', './out/../out/a.csv'], ['a.csv', 'out/a.csvx', 'out/aXcsv', 'x/out/a.csv']],
  ['out/{name}.csv', false, ['out/b.csv', 'out/b.c.csv'], ['out/.csv', 'out/x/b.csv', 'out/b.tsv']],
  ['out/{dir}/{name}.csv', false, ['out/b.csv', 'out/x/y/b.csv'], ['b.csv', 'outx/b.csv']],
  ['{dir}/{name}-{index}.csv', false, ['b-0.csv', 'x/b-12.csv'], ['b-x.csv', 'b.csv']],
  ['out-{n}.csv.gz', false, ['out-00000.csv.gz', 'out-123456.csv.gz'], ['out-x.csv.gz', 'out-.csv.gz']],
  ['out/', true, ['out/k=1/part.csv', 'out/a/b'], ['out', 'outer/part.csv', 'k=1/part.csv']],
])('%s', (target, isFolder, outputs, others) => {
  const nameOf = outputNames(target, isFolder)
  expect(outputs.filter((path) => nameOf(path) !== 'whole')).toEqual([])
  expect(outputs.filter((path) => nameOf(`${path}.part`) !== 'part')).toEqual([])
  expect(others.filter((path) => nameOf(path) !== undefined || nameOf(`${path}.part`) !== undefined)).toEqual([])
})
