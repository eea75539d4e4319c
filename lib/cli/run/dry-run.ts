/** The plan of a command line as text. */
import { availableParallelism } from 'node:os'
import { writtenFormatOf } from '../../io/suffixes.js'
import { escaped } from '../escaped.js'
import type { CommandPlan, PlannedStage } from '../plan.js'
import type { Inputs } from './inputs.js'
import { isPrinted } from './printed.js'
import type { PassData } from './pass-data.js'

const KINDS = { map: 'map', filter: 'filter', flatMap: 'each' } as const

export function planText(
  plan: CommandPlan,
  command: readonly string[],
  { names, format }: Inputs,
  passes: readonly PassData[],
  isOnMain: boolean,
  resume: string | undefined,
): string {
  const { input, output, run, faults } = plan
  const read =
    input.replay === undefined
      ? names.map((name) => (name === '-' ? 'stdin' : name)).join(' ')
      : `${input.replay} (failed items)`
  const rows: (readonly [string, string])[] = [
    ['command', ['millrace', ...command].map(quoted).join(' ')],
    ['input', `${read}${input.replay === undefined ? ` as ${format}` : ''}`],
    ...(input.skip > 0 ? [['skip', `${input.skip} items`] as const] : []),
    ...(input.sample === undefined ? [] : [['sample', sampleText(input.sample, input.seed)] as const]),
    ...plan.stages.map((stage) => ['stage', stageText(stage)] as const),
    ...(plan.reduce === undefined ? [] : [['reduce', plan.reduce.text] as const]),
    ...(input.head === undefined ? [] : [['head', `${input.head} results`] as const]),
    [
      'output',
      `${output.target ?? 'stdout'} as ${outputFormat(plan)}${partitionText(output.partition)}${rotationText(output.rotate)}`,
    ],
    ['run', isOnMain ? 'on the main thread' : runText(run, passes.length)],
    ['errors', faultsText(faults)],
    ...(resume === undefined ? [] : [['resume', resume] as const]),
  ]
  return rows.map(([name, text]) => `${name.padEnd(8)}${escaped(text)}\n`).join('')
}

function sampleText(share: number, seed = 0): string {
  return `${Number((100 * share).toPrecision(12))}% of the items, seed ${seed}`
}

/** As a shell reads it. Control characters are in the form of `$'…'`, so that the word stays on its line. */
function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  if (!/[\p{Cc}\u2028\u2029]/u.test(word)) return `'${word.replaceAll("'", "'\\''")}'`
  return `$'${escaped(word.replace(/[\\']/g, '\\$&'))}'`
}

function stageText({ kind, work }: PlannedStage): string {
  return `${KINDS[kind].padEnd(7)}${'task' in work ? work.task.text : work.expression}`
}

function outputFormat({ output }: CommandPlan): string {
  if (isPrinted(output)) return 'lines: strings as they are, other values as JSON'
  return output.format ?? (output.target === undefined ? undefined : writtenFormatOf(output.target)) ?? 'csv'
}

function partitionText(partition: CommandPlan['output']['partition']): string {
  if (partition === undefined) return ''
  return `, by ${'column' in partition ? partition.column : partition.expression}`
}

function rotationText(size: number | undefined): string {
  return size === undefined ? '' : `, a new file after ${size} bytes`
}

function runText({ workers, isUnordered, timeout, retries }: CommandPlan['run'], passes: number): string {
  const parts = [
    `${workers ?? availableParallelism()} workers`,
    isUnordered ? 'in any order' : 'in order',
    ...(passes > 1 ? [`${passes} passes`] : []),
    ...(timeout === undefined ? [] : [`at most ${timeout} ms for an item`]),
    ...(retries === undefined ? [] : [`${retries} retries`]),
  ]
  return parts.join(', ')
}

function faultsText({ rejects, skipErrors, maxErrors }: CommandPlan['faults']): string {
  if (rejects === undefined && !skipErrors) return 'the first one ends the run'
  const kept = rejects === undefined ? 'skipped' : `to ${rejects}`
  return maxErrors === undefined ? kept : `${kept}, at most ${maxErrors}`
}
