/** `npm run bench`: measures the cases, prints the results, and writes them as JSON and as a picture. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { breakEven } from './break-even/main.js'
import { readArguments, USAGE, type Arguments } from './arguments.js'
import { costs } from './floor/costs.js'
import { costsOfValues } from './floor/costs-of-values.js'
import { garbage } from './floor/garbage.js'
import { CASES } from './cases/index.js'
import type { Case } from './harness/case.js'
import { describeMachine, loadAverage } from './harness/machine.js'
import { caseReport, goalLine, machineReport, summary, threadsReport } from './harness/report.js'
import { judge, type CaseResult, type Results } from './harness/results.js'
import { measure } from './harness/rounds.js'
import { picture } from './harness/svg.js'

/** Only complete results are written into the repository. This file is in build/bench/. */
const COMPLETE = fileURLToPath(new URL('../../bench/', import.meta.url))
const PARTIAL = fileURLToPath(new URL('./results/', import.meta.url))

async function load(name: string): Promise<Case> {
  return ((await import(`./cases/${name}.js`)) as { default: Case }).default
}

async function list(names: readonly string[]): Promise<void> {
  for (const one of await Promise.all(names.map(load))) {
    console.log(`${one.name}: ${one.title}`)
    for (const goal of one.goals) console.log(`  goal: ${goalLine(goal, one.unit)}`)
    console.log(`  ${one.contenders.map(({ name }) => name).join('; ')}`)
  }
}

async function run({ cases, rounds, scale, fullSize }: Arguments, command: string): Promise<void> {
  const machine = await describeMachine()
  console.log(`${machineReport(machine)}\n`)
  const results = await measureAll(await Promise.all(cases.map(load)), rounds, scale)
  machine.load.after = loadAverage()
  const all: Results = { command, scale, date: new Date().toISOString(), machine, cases: results }
  console.log(summary(all))
  const complete = fullSize ? await completed(all) : undefined
  await write(complete ?? all, complete === undefined ? PARTIAL : COMPLETE)
  checkAnswers(results)
}

/** Measures millrace, the plain loops and the physical floor, and prints the tables about costs. Writes no file. */
async function runFloor({ cases, rounds, scale }: Arguments): Promise<void> {
  console.log(`${machineReport(await describeMachine())}\n`)
  const all = await Promise.all(cases.map(load))
  const measured = withFloor(all)
  const results = await measureAll(measured, rounds, scale)
  console.log(`Where the time goes, medians:\n\n${threadsReport(results)}\n`)
  console.log(`Garbage, from V8's own account:\n\n${await garbage(measured, scale)}\n`)
  console.log(`What things cost:\n\n${await costs(rounds, scale)}\n`)
  console.log(`What a value costs to send, CPU time:\n\n${await costsOfValues(rounds)}`)
  checkAnswers(results)
}

/** The cases that have a floor, without goals, and without the packages that are compared. */
function withFloor(cases: readonly Case[]): Case[] {
  return cases
    .filter(({ contenders }) => contenders.some(({ kind }) => kind === 'floor'))
    .map((one) => ({ ...one, goals: [], contenders: one.contenders.filter(({ kind }) => kind !== undefined) }))
}

async function measureAll(cases: readonly Case[], rounds: number, scale: number): Promise<CaseResult[]> {
  const results: CaseResult[] = []
  for (const one of cases) {
    const setting = await one.prepare(scale)
    const times = rounds * (one.roundsTimes ?? 1)
    const result = judge(one, setting, times, await measure(one, setting, times))
    console.log(`${caseReport(result)}\n`)
    results.push(result)
  }
  return results
}

function checkAnswers(results: readonly CaseResult[]): void {
  if (results.some(({ contenders }) => contenders.some(({ wrong }) => wrong !== undefined))) {
    console.log('\nA contender broke down or answered wrongly: see above.')
    process.exitCode = 1
  }
}

/**
 * Adds the results of the other cases from the last complete run on this machine; `undefined` if a case was never
 * measured.
 */
async function completed(results: Results): Promise<Results | undefined> {
  const before = await lastComplete()
  const sameMachine = before !== undefined && isDeepStrictEqual(identity(before), identity(results))
  const known = new Map((sameMachine ? before.cases : []).map((one) => [one.name, one]))
  for (const one of results.cases) known.set(one.name, one)
  const cases = CASES.flatMap((name) => known.get(name) ?? [])
  return cases.length === CASES.length ? { ...results, command: 'npm run bench', cases } : undefined
}

function identity({ machine: { load: _load, ...machine } }: Results): object {
  return machine
}

async function lastComplete(): Promise<Results | undefined> {
  try {
    return JSON.parse(await readFile(`${COMPLETE}results.json`, 'utf8')) as Results
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function write(results: Results, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(`${folder}results.json`, `${JSON.stringify(results, null, 2)}\n`)
  await writeFile(`${folder}results.svg`, picture(results))
  console.log(`\nwritten: results.json and results.svg in ${relative('', folder)}`)
}

const args = process.argv.slice(2)
const isBreakEven = args.length === 1 && args[0] === 'break-even'
const request = isBreakEven ? undefined : requested(args)
if (isBreakEven) await breakEven()
else if (request?.list === true) await list(request.cases)
else if (request?.floor === true) await runFloor(request)
else if (request !== undefined)
  await run(request, ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '))

function requested(args: readonly string[]): Arguments | undefined {
  try {
    return readArguments(args)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    console.error(`${error.message}\n\n${USAGE}`)
    process.exitCode = 2
    return undefined
  }
}
