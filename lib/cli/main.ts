/**
 * The program `millrace`: the command line of files, or a command for clusters. A small file must be read within the time
 * that a shell command may take to start. So this file and what it imports are all that this needs, in one file.
 */
import { readArguments } from './arguments/parse.js'
import type { CommandName } from './commands.js'
import { runHere } from './here/here.js'
import { UsageError } from './usage-error.js'

/** As the first argument. A file with such a name is written `./worker`. */
const COMMANDS: readonly string[] = ['worker', 'setup', 'hosts', 'check'] satisfies readonly CommandName[]
/** The exit code of a wrong call. */
const USAGE = 2

void main(process.argv.slice(2)).then(end)

interface Ending {
  readonly code: number
  /** Whether nothing that was printed is on its way, and nothing else keeps this process. */
  readonly isWritten?: boolean
}

async function main(args: readonly string[]): Promise<Ending> {
  const [first, ...rest] = args
  if (first !== undefined && COMMANDS.includes(first)) {
    const { runCommand } = await import('./commands.js')
    return { code: await runCommand(first as CommandName, rest) }
  }
  try {
    const request = readArguments(args)
    if ('plan' in request) {
      const code = await runHere(request.plan)
      if (code !== undefined) return { code, isWritten: true }
      const { run } = await import('./run/run.js')
      return { code: await run(request.plan, args) }
    }
    const { textOf } = await import('./arguments/show.js')
    // `millrace --help | head` ends early.
    process.stdout.on('error', passOver)
    process.stdout.write(textOf(request.shows, request.value))
    return { code: 0 }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`millrace: ${error.message}`)
    return { code: USAGE }
  }
}

/** Modules of the user may hold timers and sockets, which would keep the process. */
async function end({ code, isWritten }: Ending): Promise<void> {
  process.exitCode = code
  // To open the streams takes time.
  if (isWritten === true) return
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
