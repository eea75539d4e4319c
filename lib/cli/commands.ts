/** The commands for clusters: each is a file of this folder. They load NATS, so nothing loads this file but them. */
import { inspect } from 'node:util'
import { ClusterError } from '../cluster/errors.js'
import { MillraceError } from '../errors.js'
import { check } from './check.js'
import { helpOf, type Command } from './command.js'
import { escaped } from './escaped.js'
import { hosts } from './hosts.js'
import { print } from './print.js'
import { setup } from './setup.js'
import { UsageError } from './usage-error.js'
import { worker } from './worker.js'

export type CommandName = 'worker' | 'setup' | 'hosts' | 'check'

const COMMANDS: Readonly<Record<CommandName, Command>> = { worker, setup, hosts, check }

/** It could not be used as it was called, or a module does not load. */
const WRONG = 1
/** The server refuses it, or cannot be reached. */
const REFUSED = 2

/** @returns The exit code. */
export async function runCommand(name: CommandName, args: readonly string[]): Promise<number> {
  const command = COMMANDS[name]
  if (args.includes('--help') || args.includes('-h')) {
    await print(`${helpOf(name, command)}\n`)
    return 0
  }
  try {
    return await command.run(args)
  } catch (error) {
    console.error(`millrace ${name}: ${escaped(textOf(error), '\n')}`)
    if (error instanceof UsageError) console.error(`See npx millrace ${name} --help`)
    return error instanceof ClusterError ? REFUSED : WRONG
  }
}

/** Errors of this library say what to do. Others are defects, whose stack is needed. */
function textOf(error: unknown): string {
  const isOwn = error instanceof UsageError || error instanceof MillraceError
  return isOwn || (error instanceof Error && 'code' in error) ? (error as Error).message : inspect(error)
}
