/**
 * The passes of a command line: which stages run together. All do, in one pass through a worker, except that a stage
 * which counts its items begins a new one. Workers have some of the items each, so none of them can count them.
 */
import { basename, extname } from 'node:path'
import type { CommandPlan, PlannedStage, TaskReference } from '../plan.js'
import { PLACE_NAMES } from './expression.js'
import { moduleUrl } from './modules.js'
import type { PassData, StageData } from './pass-data.js'
import { usedNames } from './used-names.js'

/** A longer expression is cut in errors. */
const MAX_LABEL_LENGTH = 60
const OPTIONS = { map: '--map', filter: '--filter', flatMap: '--flat-map' } as const

/**
 * @param isPrinted Whether the results are printed without a format.
 * @throws UsageError for a module that is not there.
 */
export function passesOf(plan: CommandPlan, isPrinted: boolean): PassData[] {
  const modules = plan.modules.map(({ name, module }) => [name, moduleUrl('--module', module)] as const)
  const groups = grouped(plan.stages.map(stageData), plan)
  const ids = new Set<string>()
  return groups.map((stages, at) => {
    const isLast = at === groups.length - 1
    const fold =
      isLast && plan.reduce !== undefined
        ? { ...located('--reduce', plan.reduce), label: labelOf(plan.reduce) }
        : undefined
    const labels = [...stages.map(({ label }) => label), ...(fold === undefined ? [] : [fold.label])]
    const needsPlace = (from: number): boolean => plan.reduce !== undefined || groups.slice(from).flat().some(usesFile)
    return {
      id: different(labels.join(' | ') || 'copy', ids),
      stages,
      modules,
      isPrinted: isPrinted && isLast && fold === undefined,
      carries: !isLast && needsPlace(at + 1),
      isCarried: at > 0 && needsPlace(at),
      ...(fold !== undefined && { fold }),
    }
  })
}

function grouped(stages: readonly StageData[], { reduce, input }: CommandPlan): readonly (readonly StageData[])[] {
  const groups: StageData[][] = [[]]
  for (const stage of stages) {
    const last = groups.at(-1)
    if (last === undefined || (last.length > 0 && counts(stage))) groups.push([stage])
    else last.push(stage)
  }
  // What the fold gets is counted, too.
  if (reduce !== undefined && input.head !== undefined) groups.push([])
  return groups
}

function counts({ work }: StageData): boolean {
  return 'expression' in work && work.uses.includes('i')
}

/** Whether it may ask for the file or the record. A task does so by its context: it is not loaded here. */
function usesFile({ work }: StageData): boolean {
  return !('expression' in work) || work.uses.includes('file') || work.uses.includes('record')
}

function stageData({ kind, work }: PlannedStage): StageData {
  if ('task' in work) return { kind, label: labelOf(work.task), work: located(OPTIONS[kind], work.task) }
  const { expression, option } = work
  const uses = usedNames(expression, PLACE_NAMES)
  return { kind, label: `${option} ${cut(expression)}`, work: { expression, uses } }
}

function located(option: string, { module, exported }: TaskReference): { module: string; exported: string } {
  return { module: moduleUrl(option, module), exported }
}

/** The name of a task in errors and in files of failed items. */
export function labelOf({ module, exported }: TaskReference): string {
  if (exported !== 'default') return exported
  const name = basename(module)
  return basename(name, extname(name)) || name
}

function cut(expression: string): string {
  const line = expression.replace(/\s+/g, ' ').trim()
  return line.length > MAX_LABEL_LENGTH ? `${line.slice(0, MAX_LABEL_LENGTH - 1)}…` : line
}

/** Tasks of one module have different names. */
function different(id: string, ids: Set<string>): string {
  let name = id
  for (let n = 2; ids.has(name); n++) name = `${id} (${n})`
  ids.add(name)
  return name
}
