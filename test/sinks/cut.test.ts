/** Outputs that are cut at any place: a later run goes on behind the cut, and makes the same bytes. */
import { appendFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { createHeaderMemory, readHeader } from '#dist/formats/header-memory.js'
import type { OutputFormat } from '#dist/formats/output-format.js'
import { OutputLayout } from '#dist/formats/output-layout.js'
import { RecordFormatter } from '#dist/formats/record-formatter.js'
import type { Json } from '#dist/resume/mark.js'
import { CreatedFiles } from '#dist/resume/created-files.js'
import { AtomicFile } from '#dist/sinks/atomic-file.js'
import { hasZstd, type Compression } from '#dist/sinks/compression.js'
import { InputFiles } from '#dist/disk/input-files.js'
import { SingleOutput, type Outputs } from '#dist/sinks/outputs.js'
import { PartitionedOutput } from '#dist/sinks/partitioned-output.js'
import { templatePaths } from '#dist/sinks/template.js'
import { times } from '../support/volume.js'
import { watchRejections } from '../support/rejections.js'
import { useFolder } from './folder.js'

const folder = useFolder()
watchRejections()

const files = { overwrite: true, inputs: new InputFiles(() => []), kept: { hasCheckpoint: true } } as const
/** So small that random records fill many of them. */
const sizes = { bufferSize: 64, memberSize: 200 }

interface Item {
  readonly value: unknown
  /** The input file that it is from. */
  readonly file?: string
}

type MakeOutputs = (layout: OutputLayout, path: string) => Outputs

function fail(error: unknown): never {
  throw error as Error
}

function one(compression?: Compression): MakeOutputs {
  return (layout, path) => new SingleOutput(new AtomicFile(join(path, 'a'), files), layout, compression, fail, sizes)
}

/** The lists of the files that outputs have made. */
const lists = new WeakMap<Outputs, CreatedFiles>()

function many(pathsOf: (path: string) => (name: string, known?: string) => string, type?: 'gzip'): MakeOutputs {
  const compression = type && { type, level: 1 }
  return (layout, path) => {
    const created = new CreatedFiles(join(path, 'checkpoint'))
    const options = { ...files, pathOf: pathsOf(path), compression, created, maxOpenFiles: 2, sizes }
    const outputs = new PartitionedOutput(layout, options, fail)
    lists.set(outputs, created)
    return outputs
  }
}

const byPartition = (path: string) => (name: string) => join(path, name, 'part')
const byInput = (path: string) => templatePaths(join(path, '{name}.out'), { indexOf: () => 0, globs: () => [] })

/** A run of outputs, which reads items. */
class Run {
  readonly outputs: Outputs
  readonly layout: OutputLayout
  readonly #formatter: RecordFormatter
  #count = 0

  constructor(format: OutputFormat, make: MakeOutputs, path: string) {
    this.layout = new OutputLayout(format)
    this.outputs = make(this.layout, path)
    this.#formatter = new RecordFormatter(format)
  }

  /** Some come together. */
  async add(items: readonly Item[], batch = 3): Promise<void> {
    for (const [at, { value, file }] of items.entries()) {
      this.#formatter.add(value, this.#count++, file)
      if (at % batch === 0) await this.#write()
    }
    await this.#write()
  }

  async #write(): Promise<void> {
    await this.outputs.add(this.layout.settle(this.#formatter.take(), () => 0).records)
    while (this.outputs.isFull) await this.outputs.room()
  }

  async end(): Promise<void> {
    await this.outputs.drain()
    await this.outputs.finish()
    await this.outputs.publish()
    await lists.get(this.outputs)?.remove()
  }
}

/** None, if there is no such folder. */
function filesIn(name: string): string[] {
  return existsSync(folder.at(name)) ? folder.files(name) : []
}

/** All files in a folder, by their names. */
function contents(name: string): Record<string, string> {
  const names = filesIn(name).filter((file) => !file.startsWith('checkpoint'))
  return Object.fromEntries(names.map((file) => [file, readFileSync(folder.at(name, file), 'latin1')]))
}

/** What a checkpoint has: also after it was JSON. */
interface Stored {
  readonly state: Json
  readonly rests: Uint8Array
}

async function stored(cut: ReturnType<Outputs['cut']>): Promise<Stored> {
  const { state, rests } = await cut.safe()
  return { state: JSON.parse(JSON.stringify(state)) as Json, rests: Buffer.concat(rests) }
}

/** Writes items in a folder, and stops and goes on at some places. */
async function inParts(
  format: () => OutputFormat,
  make: MakeOutputs,
  items: readonly Item[],
  name: string,
  stops: readonly { readonly cut: number; readonly lost: number }[],
): Promise<void> {
  let done = 0
  let last: Stored | undefined
  const begin = async (): Promise<Run> => {
    const run = new Run(format(), make, folder.at(name))
    if (last !== undefined) run.outputs.restore(last.state, last.rests)
    await run.outputs.open()
    return run
  }
  for (const { cut, lost } of stops) {
    const run = await begin()
    const end = Math.min(items.length, done + cut)
    await run.add(items.slice(done, end))
    const safe = stored(run.outputs.cut())
    // These come after the cut, also while it is made safe.
    await run.add(items.slice(end, end + lost))
    last = await safe
    done = end
    await run.outputs.discard(new Error('killed'))
    for (const file of filesIn(name)) {
      if (file.endsWith('.part')) appendFileSync(folder.at(name, file), 'what was written after the cut')
    }
  }
  const run = await begin()
  await run.add(items.slice(done))
  await run.end()
}

const words = fc.string({ maxLength: 40, unit: 'grapheme' })
const rows = fc.record({ a: words, b: fc.oneof(words, fc.integer()), k: fc.constantFrom('x', 'y', 'z', null) })
const stops = fc.array(fc.record({ cut: fc.nat(40), lost: fc.nat(30) }), { maxLength: 4 })

const table = { kind: 'csv', delimiter: ',', columns: undefined, escapeFormulas: false } as const
const gzip = { type: 'gzip', level: 1 } as const

const cases: [what: string, format: () => OutputFormat, make: MakeOutputs][] = [
  ['text', () => ({ kind: 'text' }), one()],
  ['JSON in lines', () => ({ kind: 'ndjson' }), one()],
  ['a JSON array', () => ({ kind: 'json' }), one()],
  ['CSV whose columns are those of the first record', () => ({ ...table, header: createHeaderMemory() }), one()],
  ['gzip', () => ({ kind: 'ndjson' }), one(gzip)],
  ['gzip of a JSON array', () => ({ kind: 'json' }), one(gzip)],
  ['gzip of CSV', () => ({ ...table, header: createHeaderMemory() }), one(gzip)],
  ...(hasZstd()
    ? [['zstd', (): OutputFormat => ({ kind: 'ndjson' }), one({ type: 'zstd', level: 1 })] as (typeof cases)[number]]
    : []),
  ['partitions', () => ({ kind: 'ndjson', partition: 'k' }), many(byPartition)],
  ['partitions in gzip', () => ({ ...table, header: createHeaderMemory(), partition: 'k' }), many(byPartition, 'gzip')],
  ['an output for each input', () => ({ ...table, byFile: true }), many(byInput)],
  ['an output in gzip for each input', () => ({ kind: 'json', byFile: true }), many(byInput, 'gzip')],
]

describe('a run that goes on behind a cut makes the same bytes', () => {
  it.each(cases)('of %s', async (_, format, make) => {
    await fc.assert(
      fc.asyncProperty(fc.array(rows, { maxLength: 100 }), stops, async (values, places) => {
        for (const name of ['whole', 'parts']) rmSync(folder.at(name), { recursive: true, force: true })
        const isText = format().kind === 'text'
        const items = values.map((value, at) => ({
          value: isText ? value.a : value,
          file: `/in/${Math.floor(at / 9)}.csv`,
        }))
        const whole = new Run(format(), make, folder.at('whole'))
        await whole.outputs.open()
        await whole.add(items)
        await whole.end()
        await inParts(format, make, items, 'parts', places)
        expect(contents('parts')).toEqual(contents('whole'))
      }),
      { numRuns: times(10, 80) },
    )
  })

  it('and tells what the whole job has written', async () => {
    const items = [1, 2, 3].map((value) => ({ value }))
    const first = new Run({ kind: 'json' }, one(), folder.path)
    await first.outputs.open()
    await first.add(items)
    const { state, rests } = await stored(first.outputs.cut())
    await first.outputs.discard(new Error('killed'))
    const second = new Run({ kind: 'json' }, one(), folder.path)
    second.outputs.restore(state, rests)
    await second.outputs.open()
    await second.add(items)
    await second.end()
    expect(folder.read('a')).toBe('[\n1,\n2,\n3,\n1,\n2,\n3\n]\n')
    expect(second.outputs.files).toEqual([{ path: folder.at('a'), records: 6, bytes: folder.read('a').length }])
  })

  it('and tells workers the columns of the first record', async () => {
    const header = createHeaderMemory()
    const first = new Run({ ...table, header: createHeaderMemory() }, one(), folder.path)
    await first.outputs.open()
    await first.add([{ value: { b: 1, a: 2 } }])
    const { state, rests } = await stored(first.outputs.cut())
    await first.outputs.discard(new Error('killed'))
    const second = new Run({ ...table, header }, one(), folder.path)
    second.outputs.restore(state, rests)
    expect(readHeader(header)).toEqual(['b', 'a'])
    await second.outputs.open()
    await second.add([{ value: { a: 3, b: 4 } }])
    await second.end()
    expect(folder.read('a')).toBe('b,a\n1,2\n4,3\n')
  })
})

it('a cut of gzip holds whole members, and the text behind them', async () => {
  const run = new Run({ kind: 'text' }, one(gzip), folder.path)
  await run.outputs.open()
  await run.add(Array.from({ length: 25 }, () => ({ value: 'x'.repeat(19) })))
  const { state, rests } = await stored(run.outputs.cut())
  const { outputs } = state as unknown as { outputs: [{ length: number; text: number; rest: number; records: number }] }
  expect(outputs[0]).toMatchObject({ text: 500, rest: 100, records: 25 })
  expect(rests.toString()).toBe(`${'x'.repeat(19)}\n`.repeat(5))
  const file = readFileSync(folder.at('a.part')).subarray(0, outputs[0].length)
  expect(gunzipSync(file).toString()).toBe(`${'x'.repeat(19)}\n`.repeat(20))
  await run.outputs.discard(new Error('killed'))
})

describe('what an earlier run has written', () => {
  async function interrupted(): Promise<Stored> {
    const run = new Run({ kind: 'text' }, one(), folder.path)
    await run.outputs.open()
    await run.add([{ value: 'one' }, { value: 'two' }])
    const safe = await stored(run.outputs.cut())
    await run.outputs.discard(new Error('killed'))
    return safe
  }

  async function goOn({ state, rests }: Stored): Promise<void> {
    const run = new Run({ kind: 'text' }, one(), folder.path)
    run.outputs.restore(state, rests)
    await run.outputs.open().finally(() => run.outputs.discard(new Error('over')))
  }

  it('must be there', async () => {
    const safe = await interrupted()
    rmSync(folder.at('a.part'))
    await expect(goOn(safe)).rejects.toMatchObject({
      name: 'CheckpointError',
      code: 'ERR_CHECKPOINT_OUTPUT',
      path: folder.at('a'),
      message:
        `Cannot go on with '${folder.at('a')}' as '${folder.at('a.part')}' is missing: the earlier run had made 8 bytes ` +
        'safe there (another program has changed it, or the disk has lost synced data: check them, and remove the checkpoint to begin again)',
    })
    expect(existsSync(folder.at('a.part'))).toBe(false)
  })

  it('must be there as a whole', async () => {
    const safe = await interrupted()
    truncateSync(folder.at('a.part'), 7)
    await expect(goOn(safe)).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_OUTPUT',
      message: expect.stringContaining(
        `'${folder.at('a.part')}' has 7 bytes: the earlier run had made 8 bytes`,
      ) as string,
    })
    expect(folder.read('a.part')).toBe('one\ntwo')
  })

  it('stays, also after an error of the run that goes on', async () => {
    const safe = await interrupted()
    await goOn(safe)
    expect(folder.read('a.part')).toBe('one\ntwo\n')
  })

  it('is removed, if it is a partition that the checkpoint does not name', async () => {
    const format = { kind: 'ndjson', partition: 'k' } as const
    const run = new Run(format, many(byPartition), folder.path)
    await run.outputs.open()
    await run.add([{ value: { k: 'a' } }])
    const { state, rests } = await stored(run.outputs.cut())
    await run.add([{ value: { k: 'b' } }, { value: { k: 'c' } }])
    await run.outputs.discard(new Error('killed'))
    expect(folder.files()).toEqual(['checkpoint.created', 'k=a/part.part', 'k=b/part.part', 'k=c/part.part'])
    writeFileSync(folder.at('k=b', 'other.part'), 'of somebody else')
    // The last line of the list was not written to its end.
    appendFileSync(folder.at('checkpoint.created'), '\n"/half of a na')
    const next = new Run(format, many(byPartition), folder.path)
    next.outputs.restore(state, rests)
    await next.outputs.open()
    await next.add([{ value: { k: 'c' } }])
    expect(folder.files()).toEqual(['checkpoint.created', 'k=a/part.part', 'k=b/other.part', 'k=c/part.part'])
    await next.end()
    expect(folder.files()).toEqual(['k=a/part', 'k=b/other.part', 'k=c/part'])
  })
})
