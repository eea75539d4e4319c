/** The results of a run, as JSON has them: figures, comparisons, and the goals that were reached. */
import type { Case, Goal, Setting, Unit } from './case.js'
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

export interface Row extends Outcome {
  readonly figure?: Spread
  /** How many times better millrace is, by the rounds. Missing for millrace itself. */
  readonly advantage?: Spread
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
  return {
    name,
    title,
    about: setting.about,
    unit,
    rounds,
    contenders: outcomes.map((outcome, i) => ({
      ...outcome,
      ...present('figure', spread(outcome.figures)),
      ...(i > 0 && one.goals.every(({ measure }) => measure === 'advantage' || measure === 'cost')
        ? present('advantage', spread(pairs(first, outcome.figures, advantage(unit))))
        : {}),
    })),
    goals: one.goals.map((goal) => judgeGoal(goal, unit, figures)),
  }
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
  return better === 'less' ? (ours, other) => other / ours : (ours, other) => ours / other
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
