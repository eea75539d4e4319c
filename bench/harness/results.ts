/** The results of a run, as JSON has them: figures, comparisons, and the goals that were reached. */
import type { Case, Goal, Setting, Unit } from './case.js'
import type { Cpu } from './cpu.js'
import type { Machine } from './machine.js'
import type { Outcome } from './rounds.js'

export interface Results {
  readonly command: string
  /** 1, or less if the sizes of the cases were reduced for a quick run. */
  readonly scale: number
  readonly date: string
  readonly machine: Machine
  readonly cases: readonly CaseResult[]
}

export interface CaseResult {
  readonly name: string
  readonly title: string
  readonly about: string
  readonly unit: Unit
  readonly rounds: number
  readonly contenders: readonly Row[]
  readonly goals: readonly GoalResult[]
}

export interface Row extends Omit<Outcome, 'cpus'> {
  readonly figure?: Spread
  /** How many times better millrace is, by the rounds. Missing for millrace itself. */
  readonly advantage?: Spread
  readonly cpu?: CpuResult
  /** How many times as much CPU time as millrace it takes. Missing for millrace itself. */
  readonly cpuAdvantage?: Spread
  /** Its speed as a share of the physical floor's: at the floor it is 1. Missing without a floor. */
  readonly floorShare?: Spread
}

/** Medians of CPU time, in milliseconds. */
export interface CpuResult {
  readonly total: number
  /** Missing on systems that do not tell the time of a thread. */
  readonly threads?: {
    readonly main: number
    readonly workers: number
    /** Of V8 and libuv: collecting garbage, compiling, reading files. */
    readonly rest: number
    /** Context switches. */
    readonly mainSwitches: number
    readonly workerSwitches: number
  }
}

export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

export interface GoalResult extends Goal {
  /** Missing if the contender was missing. */
  readonly value?: Spread
  readonly unit: string
  readonly verdict: 'reached' | 'missed' | 'not measured'
}

export function judge(one: Case, setting: Setting, rounds: number, outcomes: readonly Outcome[]): CaseResult {
  const { name, title, unit } = one
  const figures = new Map(outcomes.map((outcome) => [outcome.name, outcome.figures]))
  const first = outcomes[0]?.figures ?? []
  const firstCpu = totals(outcomes[0]?.cpus ?? [])
  const compared = one.goals.every(({ measure }) => measure === 'advantage' || measure === 'cost')
  return {
    name,
    title,
    about: setting.about,
    unit,
    rounds,
    contenders: outcomes.map(({ cpus, ...outcome }, i) => ({
      ...outcome,
      ...present('figure', spread(outcome.figures)),
      ...(i > 0 && compared ? present('advantage', spread(pairs(first, outcome.figures, advantage(unit)))) : {}),
      ...present('cpu', cpuResult(cpus)),
      ...(i > 0 && compared ? present('cpuAdvantage', spread(pairs(firstCpu, totals(cpus), ratio))) : {}),
      ...present('floorShare', floorShare(one, outcome, figures)),
    })),
    goals: one.goals.map((goal) => judgeGoal(goal, unit, figures)),
  }
}

/** Of the floor that is made for this contender, or of the one for all. */
function floorShare(
  { contenders, unit }: Case,
  { name, figures }: Pick<Outcome, 'name' | 'figures'>,
  all: ReadonlyMap<string, readonly number[]>,
): Spread | undefined {
  const floors = contenders.filter(({ kind }) => kind === 'floor')
  if (floors.some((floor) => floor.name === name)) return undefined
  const floor = floors.find(({ floorOf }) => floorOf === name) ?? floors.find(({ floorOf }) => floorOf === undefined)
  return floor && spread(pairs(figures, all.get(floor.name) ?? [], advantage(unit)))
}

function cpuResult(cpus: readonly Cpu[]): CpuResult | undefined {
  const total = spread(totals(cpus))?.median
  if (total === undefined) return undefined
  const threads = cpus.flatMap(({ total: all, threads }) =>
    threads === undefined ? [] : [{ ...threads, rest: Math.max(0, all - threads.main - threads.workers) }],
  )
  const [first] = threads
  if (first === undefined) return { total }
  const medians = Object.keys(first).map((part) => {
    const values = threads.map((each) => each[part as keyof typeof first])
    return [part, spread(values)?.median ?? NaN]
  })
  return { total, threads: Object.fromEntries(medians) as typeof first }
}

function totals(cpus: readonly Cpu[]): number[] {
  return cpus.map(({ total }) => total)
}

function judgeGoal(goal: Goal, unit: Unit, figures: ReadonlyMap<string, readonly number[]>): GoalResult {
  const ours = figures.get(goal.ours) ?? []
  const other = figures.get(goal.against ?? goal.ours) ?? []
  const value = spread(pairs(ours, other, measureOf(goal, unit)))
  return {
    ...goal,
    unit: goal.measure === 'advantage' || goal.measure === 'cost' ? '×' : unit.name,
    ...present('value', value),
    verdict: value === undefined ? 'not measured' : reaches(goal, value.median) ? 'reached' : 'missed',
  }
}

function measureOf({ measure }: Goal, unit: Unit): (ours: number, other: number) => number {
  const better = advantage(unit)
  switch (measure) {
    case 'advantage':
      return better
    case 'cost':
      return (ours, other) => better(other, ours)
    case 'growth':
      return (ours, other) => ours - other
    case 'figure':
      return (ours) => ours
  }
}

function advantage({ better }: Unit): (ours: number, other: number) => number {
  return better === 'less' ? ratio : (ours, other) => ours / other
}

function ratio(ours: number, other: number): number {
  return other / ours
}

function reaches({ atLeast = -Infinity, atMost = Infinity }: Goal, median: number): boolean {
  return median >= atLeast && median <= atMost
}

/** Compares round by round, so that the state of the machine in a round counts for both. */
function pairs(
  ours: readonly number[],
  other: readonly number[],
  value: (ours: number, other: number) => number,
): number[] {
  return ours.length === other.length ? ours.map((figure, round) => value(figure, other[round] ?? NaN)) : []
}

function spread(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const [min, max] = [sorted[0], sorted.at(-1)]
  if (min === undefined || max === undefined) return undefined
  const middle = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]]
  return { min, median: ((middle[0] ?? min) + (middle[1] ?? max)) / 2, max }
}

/** A property, or nothing if the value is `undefined`. */
function present<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>)
}
