/** The results of a run, as text. */
import type { Goal, Unit } from './case.js'
import type { Machine } from './machine.js'
import type { CaseResult, GoalResult, Results, Row, Spread } from './results.js'

export function machineReport({ cores, processor, memory, system, versions, load }: Machine): string {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return `${cores} cores (${processor}), ${memory}, ${system}, load average ${load.before.toFixed(2)}\n${packages.join(', ')}`
}

export function caseReport({ name, title, about, unit, rounds, contenders, goals }: CaseResult): string {
  const ours = contenders[0]?.name ?? ''
  const columns: Column[] = [
    { head: [`${unit.name}: min`, 'median', 'max'], cells: ({ figure }) => spreadCells(figure, unit.digits) },
  ]
  if (contenders.some(({ advantage }) => advantage !== undefined)) {
    columns.push(
      { head: [`× of ${ours}: min`, 'median', 'max'], cells: ({ advantage }) => spreadCells(advantage, 2) },
      { head: ['CPU ms'], cells: ({ cpu }) => [cell(cpu?.total, 0)] },
      { head: [`× CPU of ${ours}`], cells: ({ cpuAdvantage }) => [cell(cpuAdvantage?.median, 2)] },
    )
  }
  if (contenders.some(({ floorShare }) => floorShare !== undefined)) {
    columns.push({ head: ['share of the floor'], cells: ({ floorShare }) => [percent(floorShare)] })
  }
  const rows = [
    ['', ...columns.flatMap(({ head }) => head)],
    ...contenders.map((row) => [row.name, ...(failure(row) ?? columns.flatMap(({ cells }) => cells(row)))]),
  ]
  return [
    `${name}: ${title}`,
    `${about}; ${rounds} rounds`,
    ...table(rows).map((line) => `  ${line}`),
    ...goals.map((goal) => `  ${goalResult(goal)}`),
  ].join('\n')
}

/** Columns that belong together: their heads, and the cells of a row. */
interface Column {
  readonly head: readonly string[]
  readonly cells: (row: Row) => readonly string[]
}

/** The text in the place of figures. */
function failure({ missing, wrong }: Row): [string] | undefined {
  if (wrong !== undefined) return [`WRONG: ${wrong}`]
  if (missing !== undefined) return [`left out: ${missing}`]
  return undefined
}

function spreadCells(spread: Spread | undefined, digits: number): string[] {
  return [spread?.min, spread?.median, spread?.max].map((value) => cell(value, digits))
}

function percent(share: Spread | undefined): string {
  return share === undefined ? '' : `${number(100 * share.median, 0)} %`
}

function cell(value: number | undefined, digits: number): string {
  return value === undefined ? '' : number(value, digits)
}

/** A goal in words. */
export function goalLine({ ours, against, measure, atLeast, atMost }: Goal, unit: Unit | string): string {
  const bound = atLeast === undefined ? `≤ ${atMost ?? ''}` : `≥ ${atLeast}`
  const name = typeof unit === 'string' ? unit : unit.name
  switch (measure) {
    case 'advantage':
      return `${ours} ${bound} × ${against ?? ''}`
    case 'cost':
      return `${ours} takes ${bound} × ${against ?? ''}`
    case 'growth':
      return `${ours}: ${bound} ${name} more`
    case 'figure':
      return `${ours} ${bound} ${name}`
  }
}

export function goalResult(goal: GoalResult): string {
  const { value, verdict, unit } = goal
  const found = value === undefined ? '' : `: ${shownSpread(value, unit)}`
  return `${MARKS[verdict]} ${goalLine(goal, unit)}${found}`
}

const MARKS = { reached: 'reached', missed: 'MISSED ', 'not measured': 'NOT MEASURED' }

/** The median, the lowest and the highest figure. */
export function shownSpread({ min, median, max }: Spread, unit: string): string {
  const digits = unit === '×' ? 2 : 1
  return `${number(median, digits)} ${unit} (${number(min, digits)} to ${number(max, digits)})`
}

/** The CPU time and context switches of each contender by thread, in Markdown. */
export function threadsReport(cases: readonly CaseResult[]): string {
  const rows: string[][] = []
  for (const { name, contenders } of cases) {
    for (const { name: contender, cpu } of contenders) {
      if (cpu?.threads === undefined) continue
      const { main, workers, rest, mainSwitches, workerSwitches } = cpu.threads
      const figures = [cpu.total, main, workers, rest, mainSwitches, workerSwitches]
      rows.push([`${name}: ${contender}`, ...figures.map((figure) => number(figure, 0))])
    }
  }
  if (rows.length === 0) return 'The CPU time by thread is left out: this system has no /proc/self/task.'
  const head = ['CPU ms', 'all threads', 'main', 'workers', 'rest: V8 and libuv', 'switches: main', 'switches: workers']
  return markdown(head, rows)
}

export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** All goals, and the machine on which they were measured. */
export function summary({ machine, cases, command, scale }: Results): string {
  const goals = cases.flatMap(({ goals }) => goals)
  const count = (verdict: GoalResult['verdict']): number => goals.filter((goal) => goal.verdict === verdict).length
  return [
    `${command}, load average ${machine.load.before.toFixed(2)} before and ${machine.load.after.toFixed(2)} after`,
    ...cases.flatMap(({ name, goals }) => goals.map((goal) => `  ${name.padEnd(18)} ${goalResult(goal)}`)),
    `${count('reached')} goals reached, ${count('missed')} missed, ${count('not measured')} not measured`,
    ...(scale === 1 ? [] : [`The goals are for cases at full size: at ${scale} of it they say little.`]),
  ].join('\n')
}

function number(value: number, digits: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/**
 * Columns as wide as their widest cell. All except the first are aligned to the right. A text in the last cell can have
 * any length.
 */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    if (row.length === 2) widths[0] = Math.max(widths[0] ?? 0, row[0]?.length ?? 0)
    else row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)))
  }
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 || row.length === 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
}
