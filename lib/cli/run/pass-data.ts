/** A pass as plain data: what the main thread sends to the workers. */
import type { PlaceName } from './expression.js'

/** A stage as plain data, which is sent to workers. */
export interface StageData {
  readonly kind: 'map' | 'filter' | 'flatMap'
  /** Its name in errors. */
  readonly label: string
  readonly work: { readonly module: string; readonly exported: string } | ExpressionData
}

export interface ExpressionData {
  readonly expression: string
  /** The names of its place that it uses. The main thread finds them once, for all workers. */
  readonly uses: readonly PlaceName[]
}

/** Stages that run together, as plain data. */
export interface PassData {
  /** The id of its task. */
  readonly id: string
  readonly stages: readonly StageData[]
  /** The modules that expressions see, by name. */
  readonly modules: readonly (readonly [name: string, url: string])[]
  /** Whether results become lines as they are printed by default. */
  readonly isPrinted: boolean
  /** Whether its results carry the file and the record of their item to the next pass. */
  readonly carries: boolean
  /** Whether its items carry them. */
  readonly isCarried: boolean
  /** The export whose `fold` takes the results. */
  readonly fold?: { readonly module: string; readonly exported: string; readonly label: string }
}

/** Whether results are the items, each for one. */
export function isCopy({ stages, fold, isPrinted, carries, isCarried }: PassData): boolean {
  return stages.length === 0 && fold === undefined && !isPrinted && !carries && !isCarried
}
