/** The task of a pass, as a worker runs it. */
import type { TaskContext } from '../../task.js'
import type { TaskFunction } from '../../worker/load.js'
import { carrying, foldOfCarried, ofCarried } from './carried.js'
import { foldStep, foldTask } from './fold-pass.js'
import { importForExpressions } from './modules.js'
import { isCopy, type PassData } from './pass-data.js'
import { NO_CONTEXT, Pass, stepOf, type Step } from './pass.js'
import { printed } from './printed.js'

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
