/** The demo: reads access logs on all cores and prints what an operator wants to know. See `--help`. */
import { access, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getSystemErrorMap } from 'node:util'
import { imap, lines, pipe, progress } from 'millrace'
import { HELP, readArguments, STDIN, type Request } from './arguments.js'
import { makeLog } from './make-log.js'
import { parse } from './parse.js'
import { report, type Layout } from './report.js'
import { StatusLine } from './status-line.js'
import { Summary } from './summary.js'
import { printable } from './text.js'

const MADE = { path: join(tmpdir(), 'millrace-demo-access-200mb-v1.log'), size: 200_000_000 }

/** An error that the user can fix: a line of text, without a stack trace. */
class Complaint extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

async function main(): Promise<void> {
  const request = requested()
  if (request.do === 'help') {
    process.stdout.write(HELP)
    return
  }
  // Better now than after an hour of reading the files before it.
  for (const file of request.files) if (file !== STDIN) await access(file).catch(complain(file))
  const files = request.files.length > 0 ? request.files : [await madeLog()]
  const summary = new Summary()
  for (const file of files) await read(file, summary).catch(complain(file))
  process.stdout.write(report(summary, files.map(title), layout()))
}

function requested(): Request {
  try {
    return readArguments(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    // The sentences after the first are hints for a rarer case.
    throw new Complaint(`${error.message.replace(/[.] .*/s, '')}. See --help.`, 2)
  }
}

/**
 * Where the work is done: lines are read here, parsed by the workers, and their records come back in order. On a terminal
 * it shows how far it is, and how long it took.
 */
async function read(file: string, summary: Summary): Promise<void> {
  const source = file === STDIN ? process.stdin : file
  const records = pipe(lines(source), imap(parse))
  progress(records)
  let line = 0
  for await (const record of records) summary.add(record, title(file), ++line)
}

/** The path of the log that is made once, and used again. */
async function madeLog(): Promise<string> {
  const { path, size } = MADE
  const found = await stat(path).catch(() => undefined)
  if (found === undefined || found.size < size) {
    using _ = new StatusLine(process.stderr, () => `making a log of 200 MB, once: ${path}`)
    await makeLog(path, size).catch(complain(path))
  }
  return path
}

function title(file: string): string {
  return file === STDIN ? 'standard input' : file
}

function layout(): Layout {
  const { stdout } = process
  const colours = stdout.isTTY && stdout.hasColors()
  return {
    width: Math.max(40, Math.min(stdout.columns ?? 80, 100)),
    heading: (text) => (colours ? `\x1b[1m${text}\x1b[22m` : text),
  }
}

/** Tells what is wrong with a file. An error without a code is a bug of this program, and keeps its stack trace. */
function complain(file: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Error) || !('code' in error)) throw error
    const system =
      'syscall' in error && 'errno' in error ? getSystemErrorMap().get(Number(error.errno))?.[1] : undefined
    throw new Complaint(`cannot read ${title(file)}: ${system ?? error.message}`)
  }
}

// The reader of a pipe may leave early: access-log FILE | head.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

try {
  await main()
} catch (error) {
  if (!(error instanceof Complaint)) throw error
  console.error(`access-log: ${printable(error.message)}`)
  process.exitCode = error.exitCode
}
