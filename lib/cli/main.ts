/**
 * The program `millrace`: the command line of files, or a command for clusters. A small file must be read within the time
 * that a shell command may take to start. So this file and what it imports are all that this needs, in one file.
 */
import { readArguments } from './arguments/parse.js'
import type { CommandName } from './commands.js'
import { runHere } from './here/here.js'
import { print } from './print.js'
import { problemText } from './problem.js'
import { UsageError } from './usage-error.js'

/** As the first argument. A file with such a name is written `./worker`. */
const COMMANDS: readonly string[] = ['worker', 'setup', 'hosts', 'check'] satisfies readonly CommandName[]
/** The exit codes of a wrong call, and of everything else that prevents a run. */
const USAGE = 2
const FAILED = 1

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
  let isVerbose = false
  try {
    const request = readArguments(args)
    if ('plan' in request) {
      isVerbose = request.plan.tell.isVerbose
      const code = await runHere(request.plan)
      if (code !== undefined) return { code, isWritten: true }
      const { run } = await import('./run/run.js')
      return { code: await run(request.plan, args) }
    }
    const { textOf } = await import('./arguments/show.js')
    await print(textOf(request.shows, request.value))
    return { code: 0 }
  } catch (error) {
    console.error(`millrace: ${problemText(error, isVerbose)}`)
    return { code: error instanceof UsageError ? USAGE : FAILED }
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
