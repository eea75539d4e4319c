/** An option of the command line of files. Parsing, help, the man page, completion and docs/cli.md are made of these. */
import type {
  CommandPlan,
  InputFormat,
  PlannedFaults,
  PlannedInput,
  PlannedOutput,
  PlannedReport,
  PlannedResume,
  PlannedRun,
  PlannedStage,
  TaskReference,
} from '../plan.js'

export interface Option {
  /** After `--`. */
  readonly name: string
  /** The letter after `-`. */
  readonly short?: string
  /** What stands for its value in texts. Undefined: it takes none. */
  readonly value?: string
  /** What it does, in one line without a full stop. `code` stands between back quotes. */
  readonly summary: string
  /** Further sentences. */
  readonly details?: string
  readonly initial?: string
  /** `-h` has its name alone. */
  readonly isRare?: boolean
  /** All its values, or the words that they begin with. */
  readonly choices?: readonly string[]
  /** What its value is, for completion. Default: nothing that can be completed. */
  readonly completes?: 'file' | 'task'
  /** Names that other programs have for it: an error names the right one. */
  readonly also?: readonly string[]
  /** One of these is needed besides it. */
  readonly needs?: readonly string[]
  /** None of these may be given besides it. */
  readonly excludes?: readonly string[]
  /** The formats of input that it is for. Default: all. */
  readonly formats?: readonly InputFormat[]
  readonly effect: Effect
}

/** What is shown instead of a run. */
export type Shown = 'usage' | 'help' | 'version' | 'man' | 'completion'

export type Effect =
  | { readonly sets: Draft }
  /** `as` is the option as it was typed. @throws UsageError */
  | { readonly reads: (text: string, as: string) => Draft }
  | { readonly shows: Shown }

/** A part of a plan. Lists are added to, everything else is replaced. */
export interface Draft {
  readonly stages?: readonly PlannedStage[]
  readonly reduce?: TaskReference
  readonly modules?: CommandPlan['modules']
  readonly input?: Partial<PlannedInput>
  readonly output?: Partial<PlannedOutput>
  readonly run?: Partial<PlannedRun>
  readonly faults?: Partial<PlannedFaults>
  readonly resume?: Partial<PlannedResume>
  readonly tell?: Partial<PlannedReport>
}

export interface OptionGroup {
  readonly title: string
  readonly options: readonly Option[]
}

/** By the name of each option that was given, how it was typed last. */
export type Given = ReadonlyMap<string, string>

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
