/** The command line: an expression over a file of 100 lines, beside the fastest script of Node for the same. */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashOf, millrace, timedCommand } from '../cli/programs.js'
import { SECONDS, type Case, type Contender } from '../harness/case.js'

const LINES = 100
const SCRIPT =
  "let text = ''; for (const line of fs.readFileSync(process.argv[1], 'latin1').split('\\n').slice(0, -1)) " +
  'text += `${line.length}\\n`; fs.writeSync(1, text)'

const ours: Contender<string> = {
  name: 'millrace',
  kind: 'millrace',
  open: (path) => ({ run: timedCommand(millrace('-e', 'd.length', path), hashOf) }),
}

const script: Contender<string> = {
  name: 'node -e',
  kind: 'floor',
  open: (path) => ({ run: timedCommand([process.execPath, '-e', SCRIPT, path], hashOf) }),
}

const cliSmall: Case<string> = {
  name: 'cli-small',
  title: 'from the shell: an expression over a small file',
  unit: SECONDS,
  roundsTimes: 4,
  async prepare() {
    const path = join(tmpdir(), 'millrace-bench-small-v1.txt')
    const lines = Array.from({ length: LINES }, (_, n) => `line ${n} of a text`)
    await writeFile(path, lines.map((line) => `${line}\n`).join(''))
    const answer = createHash('sha1').update(lines.map(({ length }) => `${length}\n`).join(''))
    return { parameters: path, answer: answer.digest('hex'), about: `${LINES} lines` }
  },
  contenders: [ours, script],
  goals: [{ ours: ours.name, against: script.name, measure: 'cost', atMost: 1.4 }],
}

export default cliSmall
