/**
 * The program `millrace`: the command line of files, or a command for clusters. What is not needed is not loaded: a
 * small file must be read within the time that a shell command may take to start.
 */
import { readArguments } from './arguments/parse.js'
import type { CommandName } from './commands.js'
import { UsageError } from './usage-error.js'

/** As the first argument. A file with such a name is written `./worker`. */
const COMMANDS: readonly string[] = ['worker', 'setup', 'hosts', 'check'] satisfies readonly CommandName[]
/** The exit code of a wrong call. */
const USAGE = 2

void main(process.argv.slice(2)).then(end)

/** @returns The exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args
  if (first !== undefined && COMMANDS.includes(first)) {
    const { runCommand } = await import('./commands.js')
    return await runCommand(first as CommandName, rest)
  }
  try {
    const request = readArguments(args)
    if ('plan' in request) {
      const { run } = await import('./run/run.js')
      return await run(request.plan, args)
    }
    const { textOf } = await import('./arguments/show.js')
    // `millrace --help | head` ends early.
    process.stdout.on('error', passOver)
    process.stdout.write(textOf(request.shows, request.value))
    return 0
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`millrace: ${error.message}`)
    return USAGE
  }
}

/** Modules of the user may hold timers and sockets, which would keep the process. */
async function end(code: number): Promise<void> {
  process.exitCode = code
  await Promise.all([process.stdout, process.stderr].map(flushed))
  process.exit()
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0) return Promise.resolve()
  return new Promise((resolve) => {
    stream.write('', () => {
      resolve()
    })
  })
}

function passOver(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}
