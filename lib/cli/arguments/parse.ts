/** Reads the arguments of the command line of files, by the table of options. Nothing else is read. */
import { parseArgs, type ParseArgsConfig } from 'node:util'
import type {
  CommandPlan,
  PlannedFaults,
  PlannedInput,
  PlannedOutput,
  PlannedReport,
  PlannedResume,
  PlannedRun,
} from '../plan.js'
import { UsageError } from '../usage-error.js'
import { checkPlan } from './check-plan.js'
import { nearest } from './nearest.js'
import type { Draft, Option, Shown } from './option.js'
import { OPTIONS } from './table.js'
import { choice } from './values.js'

/** What is asked for: a run, or a text. */
export type Request = { readonly plan: CommandPlan } | { readonly shows: Shown; readonly value?: string }

const BY_NAME: ReadonlyMap<string, Option> = new Map(OPTIONS.map((option) => [option.name, option]))
const CONFIG: ParseArgsConfig['options'] = Object.fromEntries(
  OPTIONS.map(({ name, short, value }) => [
    name,
    { type: value === undefined ? 'boolean' : 'string', ...(short !== undefined && { short }) },
  ]),
)
/** What an option without a value looks like to those that have one. */
const TYPED: ReadonlySet<string> = new Set(
  OPTIONS.flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]),
)

/** @throws UsageError */
export function readArguments(args: readonly string[]): Request {
  if (args.length === 0) throw new UsageError('nothing to do: give a stage or a file. See millrace -h')
  const { tokens } = parseArgs({
    args: [...args],
    options: CONFIG,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const request = asked(tokens)
  if (request !== undefined) return request
  const given = new Map<string, string>()
  const drafts: Draft[] = []
  const files: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') files.push(token.value)
    if (token.kind !== 'option') continue
    const option = BY_NAME.get(token.name)
    if (option === undefined) throw unknown(token.rawName)
    const draft = drafted(option, token.rawName, token.value)
    if (given.has('reduce') && (draft.stages ?? draft.reduce) !== undefined) {
      throw new UsageError(
        `${token.rawName} stands after ${given.get('reduce') ?? '-r'}: a reduction is the last stage`,
      )
    }
    drafts.push(draft)
    given.set(option.name, token.rawName)
  }
  const plan = joined([...drafts, { input: { files } }])
  checkPlan(plan, given)
  return { plan }
}

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number]

/** The first text that is asked for. Then nothing else counts: help must come when the rest is wrong. */
function asked(tokens: readonly Token[]): Request | undefined {
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const option = BY_NAME.get(token.name)
    if (option === undefined || !('shows' in option.effect)) continue
    const { shows } = option.effect
    if (shows === 'help' && token.rawName !== '--help') return { shows: 'usage' }
    if (option.choices === undefined) return { shows }
    return { shows, value: choice(valueOf(option, token.rawName, token.value), token.rawName, option.choices) }
  }
  return undefined
}

function drafted(option: Option, as: string, value: string | undefined): Draft {
  const { effect } = option
  if ('reads' in effect) return effect.reads(valueOf(option, as, value), as)
  if (value !== undefined) throw new UsageError(`${as} takes no value: received '${value}'`)
  return 'sets' in effect ? effect.sets : {}
}

function valueOf({ value: kind = '' }: Option, as: string, value: string | undefined): string {
  if (value === undefined) throw new UsageError(`${as} needs a value: ${as} ${kind}`)
  if (TYPED.has(value)) throw new UsageError(`${as} needs a value: received the option '${value}'`)
  return value
}

function unknown(typed: string): UsageError {
  const names = new Map(
    OPTIONS.flatMap(({ name, also = [] }) => [name, ...also].map((word) => [word, `--${name}`] as const)),
  )
  const near = typed.startsWith('--') ? nearest(typed.slice(2), names) : otherCase(typed)
  return new UsageError(
    `there is no option '${typed}': ${near === undefined ? 'see millrace -h' : `did you mean ${near}?`}`,
  )
}

function otherCase(typed: string): string | undefined {
  return [typed.toLowerCase(), typed.toUpperCase()].find((other) => TYPED.has(other))
}

/** Joins drafts: lists become longer, and of other values the last one counts. */
function joined(drafts: readonly Draft[]): CommandPlan {
  const reduce = drafts.findLast((draft) => draft.reduce !== undefined)?.reduce
  function part<Part extends object>(initial: Part, pick: (draft: Draft) => Partial<Part> | undefined): Part {
    return drafts.reduce((all, draft) => ({ ...all, ...pick(draft) }), initial)
  }
  return {
    stages: drafts.flatMap(({ stages = [] }) => stages),
    ...(reduce !== undefined && { reduce }),
    modules: drafts.flatMap(({ modules = [] }) => modules),
    input: part<PlannedInput>({ files: [], header: true, isNul: false, skip: 0 }, ({ input }) => input),
    output: part<PlannedOutput>({}, ({ output }) => output),
    run: part<PlannedRun>({ isUnordered: false, isDry: false }, ({ run }) => run),
    faults: part<PlannedFaults>({ skipErrors: false }, ({ faults }) => faults),
    resume: part<PlannedResume>({ isOn: false, allowsChangedCode: false }, ({ resume }) => resume),
    tell: part<PlannedReport>(
      { progress: 'auto', isQuiet: false, isVerbose: false, color: 'auto' },
      ({ tell }) => tell,
    ),
  }
}
