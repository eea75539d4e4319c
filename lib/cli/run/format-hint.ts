/**
 * A hint where nothing came of the items, or the first of them failed: they do not have what expressions ask for. Records
 * were read as lines, as nothing said what they are. Or their columns have other names.
 */
import { BadRecord } from '../../codec/records/record-data.js'
import { openBatches } from '../../io/source.js'
import { isServerUrl } from '../../io/urls.js'
import { nearest } from '../arguments/nearest.js'
import type { CommandPlan } from '../plan.js'
import { openInputs, type Inputs } from './inputs.js'

const PROPERTY = /(?<![\p{ID_Continue}$.])d\??\.([\p{ID_Start}$_][\p{ID_Continue}$]*)/gu
const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u
/** How many names of columns are shown. */
const SHOWN = 12

/** Whether it is the error of code that has asked for a property of undefined. */
export function isOfAbsent(error: unknown): boolean {
  return error instanceof TypeError && error.message.includes('undefined')
}

/** A property of items that an expression asks for. */
interface Asked {
  readonly name: string
  readonly isFilter: boolean
}

/** Undefined if it is not wanted, or if the first item has what the expressions ask for. */
export async function formatHint(plan: CommandPlan, inputs: Inputs): Promise<string | undefined> {
  const { input, tell } = plan
  // With --head 0, nothing was asked for.
  if (tell.isQuiet || input.head === 0) return undefined
  const asked = askedNames(plan)
  if (asked.length === 0) return undefined
  if (inputs.format === 'lines') return input.format === undefined ? hintOfLines(asked) : undefined
  const first = input.replay === undefined ? await firstItem(plan, inputs) : undefined
  if (typeof first !== 'object' || first === null || first instanceof BadRecord) return undefined
  const absent = asked.find(({ name }) => !(name in first))
  return absent && hintOfRecords(absent, first, inputs.format === 'ndjson' || inputs.format === 'json')
}

function askedNames({ stages }: CommandPlan): readonly Asked[] {
  const asked: Asked[] = []
  for (const { kind, work } of stages) {
    const isFilter = kind === 'filter'
    if ('expression' in work) {
      for (const [, name = ''] of work.expression.matchAll(PROPERTY)) asked.push({ name, isFilter })
    }
    // What comes out of it is no item any more.
    if (!isFilter) break
  }
  return asked
}

function hintOfLines(asked: readonly Asked[]): string | undefined {
  const absent = asked.find(({ name }) => !(name in String.prototype))
  if (absent === undefined) return undefined
  return `each item is a line, which has no '${absent.name}'. If these are records, add their format, such as -i csv or -i ndjson`
}

/** @param areOpen Whether other records may have other names. */
function hintOfRecords({ name, isFilter }: Asked, first: object, areOpen: boolean): string | undefined {
  if (Array.isArray(first)) return `each item is an array, which has no '${name}': write d[0] for its first element`
  const names = Object.keys(first)
  const [only = ''] = names
  const [sign] = names.length === 1 ? (/[;\t|,]/.exec(only) ?? []) : []
  if (sign !== undefined) {
    const shown = sign === '\t' ? '\\t' : sign
    return `the records have one column, '${only}'. If '${shown}' separates its fields, add --delimiter '${shown}'`
  }
  const meant = nearestName(name, names)
  // A filter may look for a few records that have it.
  if (meant === undefined && isFilter && areOpen) return undefined
  const listed = names.slice(0, SHOWN).map((one) => `'${one}'`)
  if (names.length > SHOWN) listed.push('…')
  return `the first record has no '${name}'${meant === undefined ? '.' : `: did you mean ${propertyOf(meant)}?`} It has ${listed.join(', ')}`
}

function nearestName(name: string, names: readonly string[]): string | undefined {
  return names.find((one) => bare(one) === bare(name)) ?? nearest(name, new Map(names.map((one) => [one, one])))
}

function propertyOf(name: string): string {
  return IDENTIFIER.test(name) ? `d.${name}` : `d[${JSON.stringify(name)}]`
}

/** Without what is written in different ways: `Order Total` and `order_total` are one name. */
function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')
}

/** The first item of the first input, if that can be read again. */
async function firstItem({ input }: CommandPlan, inputs: Inputs): Promise<unknown> {
  const [path] = inputs.paths
  if (path === undefined || isServerUrl(path) || inputs.names[0] === '-') return undefined
  try {
    const reader = openBatches(openInputs({ ...inputs, sources: [path] }, input))
    const [first] = (await reader?.next(1))?.values() ?? []
    await reader?.close()
    return first
  } catch {
    // The error of the run says what is wrong with it.
    return undefined
  }
}
