/**
 * A run goes on where an earlier one was only if the command is the same, as far as that decides on its results. It says
 * what that is, and in the words of the command line what differs.
 */
import type { CheckpointError } from '../../errors.js'
import { hashOfModule, type Content } from '../../resume/code.js'
import type { Json } from '../../resume/mark.js'
import { changedCode, comparedPlansOf, type PipelinePlan } from '../../resume/pipeline.js'
import { differenceOf } from '../../resume/plan-difference.js'
import { optionNamed, shownName } from '../arguments/table.js'
import type { CommandPlan, PlannedStage, TaskReference } from '../plan.js'
import { moduleUrl } from './modules.js'

const TASKS = { map: 'map', filter: 'filter', flatMap: 'flat-map' } as const
const EXPRESSIONS = { map: 'eval', filter: 'where', flatMap: 'each' } as const

/** What the last pass does, in the plan of its stage. */
type Described = Readonly<{ command: Readonly<Record<string, Json | undefined>> }>

/** What the stages of a command line do: the name of a pass does not say it all. */
export function contentOfCommand(plan: CommandPlan): Content {
  return { plan: { command: decisive(plan) } satisfies Described, code: () => hashes(plan) }
}

/** What decides on the results, by the names that people know. Not: workers, window, timeout, retries, messages. */
function decisive(plan: CommandPlan): Described['command'] {
  const { stages, reduce, modules, input, output, run, faults } = plan
  const { partition } = output
  const byOption: Readonly<Record<string, Json | undefined>> = {
    reduce: reduce && textOfTask(reduce),
    from: input.format,
    columns: input.columns?.join(),
    'no-header': given(!input.header),
    delimiter: input.delimiter,
    encoding: input.encoding,
    null: given(input.isNul),
    decompress: input.decompress?.join(' '),
    skip: input.skip || undefined,
    sample: input.sample,
    seed: input.seed,
    replay: input.replay,
    output: output.target,
    to: output.format,
    head: input.head,
    partition: partition && ('column' in partition ? partition.column : partition.expression),
    rotate: output.rotate,
    gzip: given(output.compress === 'gzip'),
    zstd: given(output.compress === 'zstd'),
    unordered: given(run.isUnordered),
    rejects: faults.rejects,
    'skip-errors': given(faults.skipErrors),
    'max-errors': faults.maxErrors,
  }
  return {
    ...numbered('stage', stages.map(textOfStage)),
    ...Object.fromEntries(modules.map(({ name, module }) => [`${nameOf('module')} ${name}`, module])),
    ...Object.fromEntries(Object.entries(byOption).map(([name, value]) => [nameOf(name), value])),
    'the path of the array': input.path,
    ...numbered(
      'column',
      Object.entries(input.fixed ?? {}).map(([name, [start, end]]) => `${name}=${start}-${end}`),
    ),
    ...numbered('input', input.files),
  }
}

function nameOf(option: string): string {
  return shownName(optionNamed(option))
}

function numbered(what: string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text, at) => [`${what} ${at + 1}`, text]))
}

function given(isGiven: boolean): true | undefined {
  return isGiven || undefined
}

function textOfStage({ kind, work }: PlannedStage): string {
  if ('task' in work) return `${nameOf(TASKS[kind])} ${textOfTask(work.task)}`
  return `${nameOf(EXPRESSIONS[kind])} ${work.expression}`
}

function textOfTask({ module, exported }: TaskReference): string {
  return `${module}#${exported}`
}

/** A hash of each module, by its name. */
async function hashes({ stages, reduce, modules }: CommandPlan): Promise<Record<string, string>> {
  const tasks = [...stages.flatMap(({ work }) => ('task' in work ? work.task : [])), ...(reduce ? [reduce] : [])]
  const names = new Set([...tasks, ...modules].map(({ module }) => module))
  const all = [...names].map(async (name) => [name, await hashOfModule(moduleUrl(nameOf('module'), name))] as const)
  return Object.fromEntries(await Promise.all(all))
}

/**
 * What a person reads of an error that says that the command, or a module, has changed since the earlier run.
 *
 * @returns Undefined if it says something else.
 */
export function changeText(error: unknown, checkpoint: string): string | undefined {
  const plans = comparedPlansOf(error)
  if (plans === undefined) return undefined
  const anew = `remove '${checkpoint}' to begin anew`
  if ((error as CheckpointError).code === 'ERR_CHECKPOINT_CODE') {
    const module = changedCode(plans.before, plans.now) ?? ''
    return (
      `Cannot go on from '${checkpoint}' as '${module}' has changed ` +
      `(if the results stay the same, add ${nameOf('allow-changed-code')}; or ${anew})`
    )
  }
  const difference = differenceOf(commandIn(plans.before), commandIn(plans.now))
  if (difference === undefined) return undefined
  const { where, before, now } = difference
  return (
    `Cannot go on from '${checkpoint}' as the command must be the same: ${where} was ${shown(before)}, and is ` +
    `${shown(now)} (give the same command again, or ${anew})`
  )
}

function commandIn({ plan }: PipelinePlan): Described['command'] | undefined {
  // Of a program, it has no command.
  const { stages = [] } = plan as { readonly stages?: readonly { readonly task?: Partial<Described> | string }[] }
  const described = stages.map(({ task }) => Object(task) as Partial<Described>)
  return described.find(({ command }) => command !== undefined)?.command
}

function shown(value: Json | undefined): string {
  if (value === undefined) return 'not given'
  return value === true ? 'given' : typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
}
