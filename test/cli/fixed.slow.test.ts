/** `-i fixed:SPEC`, on this thread and in workers. */
import { CommandFolder } from '../support/command-line.js'

const folder = new CommandFolder()

it('reads columns by their widths, or by starts and ends', async () => {
  folder.write('people.txt', 'NAME  AGE NOTE\nŁucja 031 likes tea\nBo    007\n')
  const specs = ['fixed:name=6,age=3', 'fixed:age=6-9,name=0-6', 'fixed:name=6,age=3,rest=9-']
  const stages = ['--skip', '1', '-e', '[d.name, d.age, d.rest]', 'people.txt']
  const runs = await Promise.all(specs.map((spec) => folder.run(['-i', spec, ...stages, '-j', '2'])))
  const [here] = await Promise.all([folder.run(['-i', specs[2] ?? '', ...stages])])
  const two = '["Łucja","031",null]\n["Bo","007",null]\n'
  const three = '["Łucja","031","likes tea"]\n["Bo","007",""]\n'
  expect(runs.map(({ stdout }) => stdout)).toEqual([two, two, three])
  expect(here).toEqual({ code: 0, signal: null, stdout: three, stderr: '' })
})

it('names the line that is too short', async () => {
  folder.write('short.txt', 'abc12\nabc\n')
  const run = await folder.run(['-i', 'fixed:a=3,n=2', 'short.txt', '-t', 'csv'])
  expect(run.code).toBe(1)
  expect(run.stderr).toMatch(/^millrace: short\.txt:2: .*it must have 5 characters for column 'n': received 3/)
})
