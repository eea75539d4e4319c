/** `npm run bench`: measures the cases, prints what came out, and keeps it as JSON and as a picture. */
import { mkdir, writeFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readArguments, USAGE, type Arguments } from './arguments.js'
import type { Case } from './harness/case.js'
import { describeMachine, loadAverage } from './harness/machine.js'
import { caseReport, goalLine, machineReport, summary } from './harness/report.js'
import { judge, type CaseResult, type Results } from './harness/results.js'
import { measure } from './harness/rounds.js'
import { picture } from './harness/svg.js'

/** Only complete runs are written where they may be committed. This file is in build/bench/. */
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

async function run({ cases, rounds, scale, complete }: Arguments, command: string): Promise<void> {
  const machine = await describeMachine()
  console.log(`${machineReport(machine)}\n`)
  const results: CaseResult[] = []
  for (const name of cases) {
    const one = await load(name)
    const setting = await one.prepare(scale)
    const times = rounds * (one.roundsTimes ?? 1)
    const result = judge(one, setting, times, await measure(one, setting, times))
    console.log(`${caseReport(result)}\n`)
    results.push(result)
  }
  machine.load.after = loadAverage()
  const all: Results = { command, scale, date: new Date().toISOString(), machine, cases: results }
  console.log(summary(all))
  await write(all, complete ? COMPLETE : PARTIAL)
  if (results.some(({ contenders }) => contenders.some(({ wrong }) => wrong !== undefined))) {
    console.log('\nA contender broke down or answered wrongly: see above.')
    process.exitCode = 1
  }
}

async function write(results: Results, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(`${folder}results.json`, `${JSON.stringify(results, null, 2)}\n`)
  await writeFile(`${folder}results.svg`, picture(results))
  console.log(`\nwritten: results.json and results.svg in ${relative('', folder)}`)
}

const args = process.argv.slice(2)
const request = requested(args)
if (request?.list === true) await list(request.cases)
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
