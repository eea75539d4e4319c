/** The program `millrace`: `npx millrace COMMAND`. Each command is a file of this folder. */
import { inspect } from 'node:util'
import { ClusterError } from '../cluster/errors.js'
import { MillraceError } from '../errors.js'
import { check } from './check.js'
import { helpOf, UsageError, type Command } from './command.js'
import { hosts } from './hosts.js'
import { setup } from './setup.js'
import { worker } from './worker.js'

const COMMANDS: Readonly<Record<string, Command>> = { worker, setup, hosts, check }

/** It could not be used as it was called, or a module does not load. */
const WRONG = 1
/** The server refuses it, or cannot be reached. */
const REFUSED = 2

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})

/** @returns The exit code. */
async function main([name = '--help', ...args]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h') {
    console.log(overview())
    return 0
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) {
    console.error(`millrace: there is no command '${name}'\n\n${overview()}`)
    return WRONG
  }
  if (args.includes('--help') || args.includes('-h')) {
    console.log(helpOf(name, command))
    return 0
  }
  try {
    return await command.run(args)
  } catch (error) {
    console.error(`millrace ${name}: ${textOf(error)}`)
    if (error instanceof UsageError) console.error(`See npx millrace ${name} --help`)
    return error instanceof ClusterError ? REFUSED : WRONG
  }
}

/** Errors of this library say what to do. Others are defects, whose stack is needed. */
function textOf(error: unknown): string {
  const isOwn = error instanceof UsageError || error instanceof MillraceError
  return isOwn || (error instanceof Error && 'code' in error) ? (error as Error).message : inspect(error)
}

function overview(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(8)}${summary}`)
  return `Usage: npx millrace COMMAND [--help]\n\n${lines.join('\n')}`
}
