/**
 * How much garbage a contender makes for a million items, and how often V8 collects it. V8 tells so in other
 * processes, so that no measured run is disturbed. The start of a process and its first two runs are subtracted.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Case, Contender, Setting } from '../harness/case.js'
import { markdown } from '../harness/report.js'

const PROGRAM = fileURLToPath(new URL('./garbage-of.js', import.meta.url))
const FLAGS = ['--expose-gc', '--trace-gc-nvp']
/** The runs of the two processes that are compared: one is long enough to compile everything. */
const FEW = 2
const MANY = 5
const MAX_TRACE_BYTES = 1 << 28

/** The cases, and their count of items. */
const ITEMS: Readonly<Record<string, (parameters: unknown) => number>> = {
  'access-log': (log) => (log as { lines: number }).lines,
  'access-log-reduce': (log) => (log as { lines: number }).lines,
  sqrt: (work) => (work as { count: number }).count,
}

/** Of one thread, or of several. */
interface Collections {
  readonly scavenges: number
  /** In all heaps together, in bytes. */
  readonly allocated: number
  /** In milliseconds. */
  readonly paused: number
}

/** A table in Markdown of those of the cases that it knows. */
export async function garbage(cases: readonly Case[], scale: number): Promise<string> {
  const rows: string[][] = []
  for (const one of cases) {
    const itemsOf = ITEMS[one.name]
    if (itemsOf === undefined) continue
    const setting = await one.prepare(scale)
    for (const contender of one.contenders) {
      const { main, workers } = await perRun(one, contender, setting)
      const perMillion = ({ scavenges, allocated, paused }: Collections): string[] =>
        [scavenges, allocated / 1e6, paused].map((n) =>
          ((Math.max(0, n) * 1e6) / itemsOf(setting.parameters)).toFixed(0),
        )
      rows.push([`${one.name}: ${contender.name}`, ...perMillion(main), ...perMillion(workers)])
    }
  }
  const columns = ['scavenges', 'MB allocated', 'ms paused']
  return markdown(
    ['a million items', ...['main', 'workers'].flatMap((thread) => columns.map((name) => `${thread}: ${name}`))],
    rows,
  )
}

interface ByThread {
  readonly main: Collections
  readonly workers: Collections
}

async function perRun(one: Case, contender: Contender, setting: Setting): Promise<ByThread> {
  const few = await traced(one, contender, setting, FEW)
  const many = await traced(one, contender, setting, MANY)
  const difference = (thread: keyof ByThread): Collections => ({
    scavenges: (many[thread].scavenges - few[thread].scavenges) / (MANY - FEW),
    allocated: (many[thread].allocated - few[thread].allocated) / (MANY - FEW),
    paused: (many[thread].paused - few[thread].paused) / (MANY - FEW),
  })
  return { main: difference('main'), workers: difference('workers') }
}

async function traced(one: Case, contender: Contender, setting: Setting, runs: number): Promise<ByThread> {
  const args = [...FLAGS, PROGRAM, one.name, contender.name, JSON.stringify(setting.parameters), String(runs)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: MAX_TRACE_BYTES })
  return readTrace(stdout)
}

/** One line for each collection: `[process:heap] time ms: pause=0.8 … gc=s … allocated=4596936 …`. */
const COLLECTION = /^\[\d+:(\w+)\].* pause=([\d.]+) .*\bgc=(\w+) .*\ballocated=(\d+) /gm
const SCAVENGE = 's'

function readTrace(trace: string): ByThread {
  const main = { scavenges: 0, allocated: 0, paused: 0 }
  const workers = { scavenges: 0, allocated: 0, paused: 0 }
  let first: string | undefined
  for (const [, heap, pause, kind, allocated] of trace.matchAll(COLLECTION)) {
    first ??= heap
    const thread = heap === first ? main : workers
    if (kind === SCAVENGE) thread.scavenges++
    thread.allocated += Number(allocated)
    thread.paused += Number(pause)
  }
  if (first === undefined) throw new Error('Cannot read the collections as V8 tells of none')
  return { main, workers }
}
