/**
 * Runs a command line over small files on this thread, and writes to the standard output. It reads, decodes, runs stages
 * and formats by the same code as workers. There is no stream between them, and so there is little to load.
 */
import { fstatSync, statSync } from 'node:fs'
import { isatty } from 'node:tty'
import { hasCompressedName, inputFormatOfName } from '../../io/suffixes.js'
import { ReaderLeft } from '../../sinks/target.js'
import type { CommandPlan, InputFormat, PlannedInput } from '../plan.js'
import { UsageError } from '../usage-error.js'
import { DONE, exitCodeOf, faultText, INCOMPLETE } from '../run/faults.js'
import { formatHint, isOfAbsent } from '../run/format-hint.js'
import { openInputs, type Inputs } from '../run/inputs.js'
import { passesOf } from '../run/passes.js'
import { isPrinted } from '../run/printed.js'
import { isSmall } from '../run/small.js'
import { withoutFirst } from '../run/without-first.js'
import { HereRun } from './here-run.js'

const STANDARD_INPUT = 0
const STANDARD_OUTPUT = 1
const STANDARD_ERROR = 2

/** @returns The exit code. Undefined: it is not for this thread, or not for this code, and nothing was read. */
export async function runHere(plan: CommandPlan): Promise<number | undefined> {
  const inputs = isPlain(plan) ? plainInputs(plan.input) : undefined
  if (inputs === undefined || !isSmall(plan, inputs)) return undefined
  printToStandardError()
  const passes = passesOf(plan, isPrinted(plan.output))
  const run = new HereRun(plan)
  // By default it would end the process. Other signals do so at once: an expression may never end.
  if (process.platform !== 'win32')
    process.on('SIGUSR2', () => {
      console.error(`millrace: ${Math.round(process.uptime())} s: ${run.read} items`)
    })
  try {
    await run.run(passes, withoutFirst(openInputs(inputs, plan.input), plan.input.skip))
    if (run.read > 0 && run.given === 0) await tellFormat(plan, inputs)
    return run.failed > 0 ? INCOMPLETE : DONE
  } catch (error) {
    if (error instanceof ReaderLeft) return DONE
    if (error instanceof UsageError) throw error
    console.error(`millrace: ${faultText(error, run, false)}`)
    if (isOfAbsent(error)) await tellFormat(plan, inputs)
    return exitCodeOf(error)
  }
}

/** Where items do not have what was asked for. */
async function tellFormat(plan: CommandPlan, inputs: Inputs): Promise<void> {
  const hint = await formatHint(plan, inputs)
  if (hint !== undefined) console.error(`millrace: ${hint}`)
}

/** Not if it is to show the plan, its progress or a summary, nor with options that need more code. */
function isPlain({ input, output, run, faults, tell }: CommandPlan): boolean {
  if (
    run.isDry ||
    input.replay !== undefined ||
    input.sample !== undefined ||
    faults.maxErrors !== undefined ||
    tell.isVerbose
  )
    return false
  if (output.partition !== undefined || output.compress !== undefined) return false
  if (tell.progress === 'never' || tell.isQuiet) return true
  // As it is decided for all runs: see output.ts.
  const isShown = isTerminal(STANDARD_ERROR) && !isTerminal(STANDARD_OUTPUT)
  return tell.progress === 'auto' && !isShown
}

/** The null device is no terminal, though it is a device of characters. Most other things need no second call. */
function isTerminal(descriptor: number): boolean {
  return fstatSync(descriptor).isCharacterDevice() && isatty(descriptor)
}

/** Undefined if they are not files that can be read as they are, of one format. */
function plainInputs({ files, format }: PlannedInput): Inputs | undefined {
  const names = files.length === 0 ? ['-'] : files
  if (names.filter((name) => name === '-').length > 1) return undefined
  let size = 0
  const formats = new Set<InputFormat>()
  for (const name of names) {
    const own = hasCompressedName(name) ? undefined : sizeOf(name)
    if (own === undefined) return undefined
    size += own
    if (name !== '-') formats.add(inputFormatOfName(name) ?? 'lines')
  }
  // It needs packages, and is decoded by workers.
  if (format === 'parquet' || (format === undefined && formats.has('parquet'))) return undefined
  if (format === undefined && formats.size > 1) return undefined
  const [common = 'lines'] = formats
  const sources = names.map((name) => (name === '-' ? process.stdin : name))
  return { sources, names, paths: names.filter((name) => name !== '-'), format: format ?? common, size }
}

/** Undefined if it is not a file. The other code says what is wrong with it. */
function sizeOf(name: string): number | undefined {
  try {
    const stats = name === '-' ? fstatSync(STANDARD_INPUT) : statSync(name)
    return stats.isFile() ? stats.size : undefined
  } catch {
    return undefined
  }
}

/** The standard output has results alone. The streams of a console are opened when it is used. */
function printToStandardError(): void {
  const { Console } = console
  let made: Console | undefined
  Object.defineProperty(globalThis, 'console', {
    configurable: true,
    get: () => (made ??= new Console(process.stderr, process.stderr)),
  })
}
