/** The command line: what is to be read, and the help. */
import { fstatSync } from 'node:fs'
import { parseArgs } from 'node:util'

export const HELP = `Usage: access-log [FILE…]
       access-log < FILE
       … | access-log -

Reports on access logs in the combined format, as Apache and nginx write them: requests, bytes, error rate,
statuses, top addresses and paths, requests by hour of the day, malformed lines.

  FILE        a log, plain or gzip; several are read in turn and reported on together
  -           standard input, also where it is a pipe
  -h, --help  this text

Without FILE it reads standard input if that is a file, and else a log of 200 MB that it makes in the system's
temporary folder and uses again. A pipe needs the '-': without it, a pipe that a supervisor leaves open is not waited for.

Malformed lines count as requests when they are in order up to their status, and with that status only.
Paths are counted without their query string.
`

/** What the command line asks for. */
export type Request = { readonly do: 'help' } | { readonly do: 'report'; readonly files: readonly string[] }

/** The name of standard input among the files. */
export const STDIN = '-'

/** Reads the arguments; no files means: the log the demo makes. Throws, with a text for the user, when they are wrong. */
export function readArguments(args: string[]): Request {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' } },
  })
  if (values.help === true) return { do: 'help' }
  if (positionals.length > 0) return { do: 'report', files: positionals }
  return { do: 'report', files: isFile(0) ? [STDIN] : [] }
}

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile()
  } catch {
    // It is closed.
    return false
  }
}
