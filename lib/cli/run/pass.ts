/**
 * Runs adjacent stages of a command line in one pass: an item goes through all of them before the next one begins. Nothing
 * is awaited unless a stage gives a promise.
 */
import { loadTask, forItems, takesContext, type TaskFunction } from '../../worker/load.js'
import { elementsOf } from '../../worker/expand.js'
import { isThenable } from '../../thenable.js'
import { NAME, type MadeByTask } from '../../task-name.js'
import type { TaskContext } from '../../task.js'
import { compileExpression, type PlaceName } from './expression.js'
import { importExport, importForExpressions } from './modules.js'
import { markStage } from './stage-mark.js'
import { printed } from './printed.js'

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

interface Step {
  readonly kind: StageData['kind']
  readonly label: string
  readonly run: (item: unknown, context: TaskContext) => unknown
  readonly usesContext: boolean
  readonly isExpression: boolean
}

type Waiting = Promise<void> | undefined

/** The function of the task of a pass. Stages load their modules before. */
export async function passTask(data: PassData): Promise<TaskFunction> {
  const modules = new Map<string, unknown>()
  for (const [name, url] of data.modules) modules.set(name, await importForExpressions(name, url))
  const steps: Step[] = []
  for (const stage of data.stages) steps.push(await stepOf(stage, modules))
  const pass = new Pass(steps)
  if (data.fold !== undefined) {
    const task = foldTask(data, pass, await foldStep(data.fold))
    return data.isCarried ? foldOfCarried(task) : task
  }
  if (isCopy(data)) return (item) => item
  const task = stagesTask(data, pass)
  return data.isCarried ? ofCarried(task) : task
}

function stagesTask({ carries, isPrinted }: PassData, pass: Pass): TaskFunction {
  if (carries) return carrying(pass)
  const finish = isPrinted ? printed : undefined
  // A second parameter makes the library compute a context for each item.
  return pass.usesContext
    ? (item, context) => pass.apply(item, context as TaskContext, finish)
    : (item) => pass.apply(item, NO_CONTEXT, finish)
}

/** Whether results are the items, each for one. */
export function isCopy({ stages, fold, isPrinted, carries, isCarried }: PassData): boolean {
  return stages.length === 0 && fold === undefined && !isPrinted && !carries && !isCarried
}

type Finish = (result: unknown) => unknown
/** A result with the file and the record of its item. */
type Carried = readonly [result: unknown, file: string | undefined, record: number | undefined]

const NO_CONTEXT = {} as TaskContext

function carrying(pass: Pass): TaskFunction {
  return (item, given) => {
    const context = given as TaskContext
    return pass.apply(item, context, (result): Carried => [result, context.file, context.record])
  }
}

/** The task of a pass whose items are carried to it. */
function ofCarried(task: TaskFunction): TaskFunction {
  return (carried, context) => {
    const [item, file, record] = carried as Carried
    return task(item, new CarriedContext(context as TaskContext, file, record))
  }
}

function foldOfCarried(task: TaskFunction): TaskFunction {
  return (accumulator, carried, context) => {
    const [item, file, record] = carried as Carried
    return task(accumulator, item, new CarriedContext(context as TaskContext, file, record))
  }
}

/** The context of an item that another pass has made. */
class CarriedContext implements TaskContext {
  readonly file: string | undefined
  readonly record: number | undefined
  readonly #own: TaskContext

  constructor(own: TaskContext, file: string | undefined, record: number | undefined) {
    this.#own = own
    this.file = file
    this.record = record
  }

  get index(): number {
    return this.#own.index
  }

  get signal(): AbortSignal {
    return this.#own.signal
  }

  get worker(): number {
    return this.#own.worker
  }

  get traceparent(): string | undefined {
    return undefined
  }

  get line(): number | undefined {
    return undefined
  }

  get offset(): number | undefined {
    return undefined
  }
}

async function stepOf({ kind, label, work }: StageData, modules: ReadonlyMap<string, unknown>): Promise<Step> {
  if ('expression' in work) {
    const run = compileExpression(work.expression, work.uses, modules) as Step['run']
    return { kind, label, run, usesContext: work.uses.length > 0, isExpression: true }
  }
  const name = { module: work.module, id: work.exported, exported: true }
  const fn = await loadTask(name)
  // As the library calls it: a plain export gets its item alone.
  const run = forItems(
    { name: (fn as TaskFunction & Partial<MadeByTask>)[NAME] ?? name, kind: 'map', spread: false },
    fn,
  )
  const usesContext = takesContext('map', run)
  return { kind, label, run: usesContext ? run : (item) => run(item), usesContext, isExpression: false }
}

type FoldOfItem = (accumulator: unknown, item: unknown) => unknown
type Fold = (accumulator: unknown, item: unknown, context: TaskContext) => unknown

interface FoldStep {
  readonly run: Fold
  readonly usesContext: boolean
}

async function foldStep({ module, exported, label }: NonNullable<PassData['fold']>): Promise<FoldStep> {
  const { fold } = (await importExport(module, exported)) as { fold: Fold }
  const usesContext = takesContext('reduce', fold as TaskFunction)
  // A parameter with a default is for its other callers.
  const call = usesContext ? fold : (accumulator: unknown, item: unknown) => (fold as FoldOfItem)(accumulator, item)
  const run: Fold = (accumulator, item, context) => {
    try {
      const next = call(accumulator, item, context)
      return isThenable(next)
        ? Promise.resolve(next).catch((error: unknown) => {
            throw markStage(error, label)
          })
        : next
    } catch (error) {
      throw markStage(error, label)
    }
  }
  return { run, usesContext }
}

/** A third parameter makes the library compute a context for each item. */
function foldTask({ stages }: PassData, pass: Pass, fold: FoldStep): TaskFunction {
  const run = stages.length === 0 ? fold.run : folding(pass, fold.run)
  return fold.usesContext || pass.usesContext
    ? (accumulator, item, context) => run(accumulator, item, context as TaskContext)
    : (accumulator, item) => run(accumulator, item, NO_CONTEXT)
}

/** Folds what the stages give for an item into the accumulator. */
function folding(pass: Pass, fold: Fold): Fold {
  return (accumulator, item, context) => {
    const results = pass.apply(item, context)
    const foldAll = (all: readonly unknown[]): unknown => {
      let next = accumulator
      for (const [at, result] of all.entries()) {
        next = fold(next, result, context)
        if (isThenable(next)) return foldRest(fold, next, all.slice(at + 1), context)
      }
      return next
    }
    return isThenable(results) ? Promise.resolve(results).then(foldAll) : foldAll(results)
  }
}

async function foldRest(
  fold: Fold,
  first: PromiseLike<unknown>,
  rest: readonly unknown[],
  context: TaskContext,
): Promise<unknown> {
  let next = await first
  for (const result of rest) next = await fold(next, result, context)
  return next
}

class Pass {
  readonly usesContext: boolean
  readonly #steps: readonly Step[]

  constructor(steps: readonly Step[]) {
    this.#steps = steps
    this.usesContext = steps.some(({ usesContext }) => usesContext)
  }

  /** The results for an item, or a promise of them. */
  apply(item: unknown, context: TaskContext, finish?: Finish): unknown[] | Promise<unknown[]> {
    const results: unknown[] = []
    const waiting = this.#advance(0, item, context, results)
    if (waiting !== undefined) return waiting.then(() => finished(results, finish))
    return finished(results, finish)
  }

  /** Takes a value through the stages from number `at` on. What comes out of the last one goes to `results`. */
  #advance(at: number, value: unknown, context: TaskContext, results: unknown[]): Waiting {
    for (let next = at; next < this.#steps.length; next++) {
      const step = this.#steps[next]
      let result: unknown
      try {
        result = step.run(value, context)
      } catch (error) {
        throw markStage(error, step.label)
      }
      if (typeof result === 'function') throw functionResult(step)
      if (isThenable(result)) return this.#awaited(next, value, result, context, results)
      if (step.kind === 'flatMap') return this.#expand(next, result, context, results)
      if (step.kind === 'filter') {
        if (!result) return undefined
      } else if (result === undefined) return undefined
      else value = result
    }
    results.push(value)
    return undefined
  }

  async #awaited(
    at: number,
    value: unknown,
    promise: PromiseLike<unknown>,
    context: TaskContext,
    results: unknown[],
  ): Promise<void> {
    const step = this.#steps[at]
    let result: unknown
    try {
      result = await promise
    } catch (error) {
      throw markStage(error, step.label)
    }
    if (typeof result === 'function') throw functionResult(step)
    if (step.kind === 'flatMap') await this.#expand(at, result, context, results)
    else if (step.kind === 'filter' ? result : result !== undefined) {
      await this.#advance(at + 1, step.kind === 'filter' ? value : result, context, results)
    }
  }

  /** The elements of what a stage returned go on, one after the other. Nothing at all is no element. */
  #expand(at: number, returned: unknown, context: TaskContext, results: unknown[]): Waiting {
    if (returned === undefined || returned === null) return undefined
    const { label } = this.#steps[at]
    let elements: ReturnType<typeof elementsOf>
    try {
      elements = elementsOf(returned)
    } catch (error) {
      throw markStage(error, label)
    }
    if (Array.isArray(elements)) return this.#each(at + 1, elements, 0, context, results)
    return elements.then(
      (all) => this.#each(at + 1, all, 0, context, results),
      (error: unknown) => {
        throw markStage(error, label)
      },
    )
  }

  #each(at: number, elements: readonly unknown[], from: number, context: TaskContext, results: unknown[]): Waiting {
    for (let next = from; next < elements.length; next++) {
      const element = elements[next]
      const waiting = element === undefined ? undefined : this.#advance(at, element, context, results)
      if (waiting !== undefined) return this.#rest(waiting, at, elements, next + 1, context, results)
    }
    return undefined
  }

  async #rest(
    waiting: Promise<void>,
    at: number,
    elements: readonly unknown[],
    from: number,
    context: TaskContext,
    results: unknown[],
  ): Promise<void> {
    await waiting
    for (const element of elements.slice(from))
      if (element !== undefined) await this.#advance(at, element, context, results)
  }
}

/** A function is truthy, and has no text. Nobody means it. */
function functionResult({ label, isExpression }: Step): unknown {
  const cure = isExpression ? 'call it, or write the body alone, such as d.length' : 'return what it gives'
  return markStage(new TypeError(`The result is a function: ${cure}`), label)
}

function finished(results: unknown[], finish: Finish | undefined): unknown[] {
  if (finish !== undefined) for (let at = 0; at < results.length; at++) results[at] = finish(results[at])
  return results
}
