/** Files and folders that this user may not read or write: one line says which, and nothing is left behind. */
import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { CommandFolder, PROGRAM } from '../support/command-line.js'

/** They must be open again before the folder is removed. */
const CLOSED = ['secret.txt', 'sealed', 'fixed']
afterAll(() => {
  for (const name of CLOSED) chmodSync(folder.at(name), 0o755)
})
const folder = new CommandFolder()
/** The superuser may do everything, unless it drops that. */
const dropped = process.getuid?.() === 0 ? 'setpriv --bounding-set=-dac_override,-dac_read_search ' : ''
const millrace = `${dropped}'${process.execPath}' '${PROGRAM}'`

beforeAll(() => {
  folder.write('in.txt', '1\nx\n')
  folder.write('secret.txt', 'a\n')
  mkdirSync(folder.at('sealed'))
  mkdirSync(folder.at('fixed'))
  chmodSync(folder.at('secret.txt'), 0)
  chmodSync(folder.at('sealed'), 0)
  chmodSync(folder.at('fixed'), 0o555)
})

const FIXED = "(this user must be allowed to write in the folder 'fixed')"

it.each<readonly [args: string, code: number, message: string]>([
  ['-e d secret.txt', 1, "EACCES: permission denied, open 'secret.txt'"],
  ['-e d secret.txt -j 1', 1, "EACCES: permission denied, open 'secret.txt'"],
  ['-e d in.txt secret.txt -o out-{name}.txt', 1, "EACCES: permission denied, open 'secret.txt'"],
  ['-e d sealed/in.txt', 2, "'sealed/in.txt' cannot be used: EACCES: permission denied, stat 'sealed/in.txt'"],
  ["-e d 'sealed/*.txt'", 2, "'sealed/*.txt' cannot be used: EACCES: permission denied, stat 'sealed/*.txt'"],
  ['-e d in.txt -o fixed/a.txt', 1, `EACCES: permission denied, open 'fixed/a.txt.part' (in 'fixed/a.txt') ${FIXED}`],
  ['-e d in.txt -o sealed/a.txt', 2, "'sealed/a.txt' cannot be used: EACCES: permission denied, stat 'sealed/a.txt'"],
  ['-e +d in.txt --rejects fixed/bad', 1, `EACCES: permission denied, open 'fixed/bad.part' (in 'fixed/bad') ${FIXED}`],
  [
    '-e d in.txt --report fixed/r.html',
    2,
    "--report 'fixed/r.html' cannot be written: EACCES: permission denied, open 'fixed/r.html.part'",
  ],
])('%s', async (args, code, message) => {
  const run = await folder.shell(`${millrace} ${args}`)
  expect(run).toMatchObject({ code, signal: null, stderr: `millrace: ${message}\n` })
  expect(readdirSync(folder.at('fixed'))).toEqual([])
  expect(existsSync(folder.at('out-in.txt'))).toBe(false)
})
