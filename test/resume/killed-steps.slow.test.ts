/**
 * Whole processes that are killed during or behind each step on disk, in a first run and in one that goes on. The
 * next run gives the files of a run without a stop. `crashes.test.ts` does this in one process, also with lost writes.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { STEPS } from '#dist/disk/steps.js'
import { useFolder } from '../sinks/folder.js'
import { runNode, type Ending } from '../support/programs.js'
import { contentsOf } from '../support/resumable-jobs.js'
import type { Side } from '../support/resume-kills/step-child.js'
import { COMPRESSIONS, runWithTwoCheckpoints, type CompressionName } from '../support/resume-kills/two-checkpoints.js'

const folder = useFolder()
const PROGRAM = fileURLToPath(new URL('../support/resume-kills/step-child.js', import.meta.url))
/**
 * One side for each kind, as it takes minutes. What lies on disk behind a step is nearly what lies there before the next
 * one. `crashes.test.ts` stops on both sides.
 */
const SIDES: Readonly<Record<CompressionName, readonly Side[]>> = { gzip: ['behind'], none: ['during'] }
/** How many processes run at a time. */
const LANES = 2
/** Steps of other kinds of runs: those that replace files, or may not replace any. */
const NOT_HERE = ['output.chmod', 'output.link', 'rejects.chmod', 'rejects.unlink']

/** Where a process is killed: at a step, by its name, and how many of that name come before it. */
interface Place {
  readonly name: string
  readonly before: number
}

/** Makes a folder as a run finds it. */
type Begin = (path: string) => void | Promise<void>

/** Runs with one kind of outputs. Each has a new folder. */
class Runs {
  readonly #compression: CompressionName
  #folders = 0

  constructor(compression: CompressionName) {
    this.#compression = compression
  }

  /** Kills a run at each step, and lets the next one go on. */
  async killAtEach(side: Side, begin: Begin): Promise<void> {
    const steps = await this.stepsOf(begin)
    const expected = await this.#wholeFiles()
    const killed: string[] = []
    const left = placesOf(steps)
    const lane = async (): Promise<void> => {
      for (let place = left.shift(); place !== undefined; place = left.shift()) {
        const path = await this.#folder(begin)
        const { signal, stderr, steps: reached } = await this.#child(path, place, side)
        expect({ place, signal, stderr }).toEqual({ place, signal: 'SIGKILL', stderr: '' })
        if (reached.filter((name) => name === place.name).length > place.before) killed.push(place.name)
        await runWithTwoCheckpoints(path, this.#compression)
        expect({ place, files: contentsOf(path) }).toEqual({ place, files: expected })
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
    // None was left out.
    expect(killed.toSorted()).toEqual(steps.toSorted())
  }

  /** The steps of a run to its end. */
  async stepsOf(begin: Begin): Promise<readonly string[]> {
    const { steps, ...ending } = await this.#child(await this.#folder(begin))
    expect(ending).toMatchObject({ code: 0, signal: null, stderr: '' })
    return steps
  }

  /** A run that is killed with two checkpoints, before the one that says that all is written. */
  readonly beginStopped: Begin = async (path) => {
    mkdirSync(path)
    const { signal } = await this.#child(path, { name: 'checkpoint.rename', before: 2 }, 'before')
    expect(signal).toBe('SIGKILL')
    expect(existsSync(`${path}/parts.checkpoint`)).toBe(true)
  }

  async #wholeFiles(): Promise<Record<string, string>> {
    const path = await this.#folder(beginAnew)
    await runWithTwoCheckpoints(path, this.#compression)
    const files = contentsOf(path)
    const suffix = this.#compression === 'gzip' ? '.gz' : ''
    const names = ['bad.ndjson', `parts/kind=a/part.csv${suffix}`, `parts/kind=b/part.csv${suffix}`]
    expect(Object.keys(files)).toEqual(names)
    return files
  }

  async #child(
    path: string,
    place?: Place,
    side: Side = 'before',
  ): Promise<Ending & { readonly steps: readonly string[] }> {
    const end = place === undefined ? [] : [place.name, String(place.before), side]
    const ending = await runNode([PROGRAM, path, this.#compression, ...end])
    return { ...ending, steps: ending.stdout.split('\n').slice(0, -1) }
  }

  async #folder(begin: Begin): Promise<string> {
    const path = folder.at(`${this.#compression}-${this.#folders++}`)
    await begin(path)
    return path
  }
}

function placesOf(steps: readonly string[]): Place[] {
  return steps.map((name, at) => ({ name, before: steps.slice(0, at).filter((other) => other === name).length }))
}

function beginAnew(path: string): void {
  mkdirSync(path)
}

for (const compression of COMPRESSIONS) {
  const runs = new Runs(compression)

  describe.each(SIDES[compression])(`compression: ${compression}: a process is killed %s each step of`, (side) => {
    it('a run with two checkpoints', async () => {
      await runs.killAtEach(side, beginAnew)
    })

    it('a run that goes on', async () => {
      await runs.killAtEach(side, runs.beginStopped)
    })
  })
}

it('these are all steps that there are, except those of other kinds of runs', async () => {
  const seen = new Set<string>()
  for (const compression of COMPRESSIONS) {
    const runs = new Runs(compression)
    for (const begin of [beginAnew, runs.beginStopped]) {
      for (const name of await runs.stepsOf(begin)) seen.add(name)
    }
  }
  expect(STEPS.filter((name) => !seen.has(name))).toEqual(NOT_HERE)
})
