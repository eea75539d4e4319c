/** The stages, and the modules that expressions see. */
import type { PlannedStage } from '../plan.js'
import type { Option, OptionGroup } from './option.js'
import { namedModule, task } from './values.js'

type Kind = PlannedStage['kind']

function ofTask(short: string, name: string, kind: Kind, summary: string, details: string): Option {
  const reads = (text: string, as: string) => ({ stages: [{ kind, work: { task: task(text, as) } }] })
  return { name, short, value: 'TASK', summary, details, completes: 'task', effect: { reads } }
}

function ofExpression(short: string, name: string, kind: Kind, summary: string, details: string): Option {
  // Its syntax is checked when the names of all modules are known.
  const reads = (expression: string, option: string) => ({ stages: [{ kind, work: { expression, option } }] })
  return { name, short, value: 'EXPR', summary, details, effect: { reads } }
}

const MAP = 'A result of `undefined` is left out.'
const FILTER = 'An item is kept if the result is truthy.'
const FLAT_MAP = 'What comes back must be an array or another iterable, such as a generator.'

export const STAGES: OptionGroup = {
  title: 'Stages',
  options: [
    ofTask('m', 'map', 'map', 'one result per item', MAP),
    ofExpression('e', 'eval', 'map', 'one result per item', MAP),
    ofTask('f', 'filter', 'filter', 'keep the item or not', FILTER),
    ofExpression('w', 'where', 'filter', 'keep the item or not', FILTER),
    ofTask('x', 'flat-map', 'flatMap', 'each element of what comes back', FLAT_MAP),
    ofExpression('E', 'each', 'flatMap', 'each element of what comes back', FLAT_MAP),
    {
      name: 'reduce',
      short: 'r',
      value: 'TASK',
      summary: 'one result in the end; it is the last stage',
      details:
        'The export is an object `{ initial, fold, merge, finish }`. `fold` adds an item to a value that begins as `initial`, in each worker. `merge` joins two values. `finish` may be left out. A Map is printed as its entries, a Set as its elements.',
      completes: 'task',
      effect: { reads: (text, as) => ({ reduce: task(text, as) }) },
    },
    {
      name: 'module',
      short: 'M',
      value: 'NAME=MODULE',
      summary: 'a module that expressions see by that name',
      details: 'May be given several times. The module is a package, a path, or a part of Node such as `node:path`.',
      also: ['import', 'require'],
      effect: { reads: (text, as) => ({ modules: [namedModule(text, as)] }) },
    },
  ],
}
