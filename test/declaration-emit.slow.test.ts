/**
 * The declarations of a program that exports values of the library, as the compiler writes them. Each type has a public
 * name, or does not need one. The package is in node_modules: only there does the compiler refuse a type that it cannot
 * name.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { compilerOptions } from './support/declarations.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const project = mkdtempSync(join(tmpdir(), 'millrace-emit-'))
const file = join(project, 'program.mts')
afterAll(() => {
  rmSync(project, { recursive: true })
})

mkdirSync(join(project, 'node_modules/millrace'), { recursive: true })
symlinkSync(join(root, 'node_modules/@types'), join(project, 'node_modules/@types'), 'junction')
cpSync(join(root, 'package.json'), join(project, 'node_modules/millrace/package.json'))
cpSync(join(root, 'dist'), join(project, 'node_modules/millrace/dist'), { recursive: true, filter: isDeclaration })

function isDeclaration(path: string): boolean {
  return !/[.]\w+$/.test(path) || /[.]d[.]c?ts$/.test(path)
}

const LAZY = ['imap', 'istarmap', 'filter', 'flatMap'].flatMap((name) => [name, `${name}Unordered`])
const EAGER = ['reduce', 'map', 'starmap', 'apply']
const OTHERS = ['batch', 'failure', 'lines', 'pipe']

const PROGRAM = `
import { ${[...LAZY, ...EAGER, ...OTHERS].join(', ')}, Pool, transfer } from 'millrace'
import { getLogger, Lock, Pipe, Process, Queue, SharedArray, Value, parentProcess } from 'millrace/multiprocessing'
import { task, tasks } from 'millrace/task'

interface Hit { readonly path: string; readonly status: number }
declare const log: string[]

export const parse = task(import.meta.url, 'parse', (line: string, { index }): Hit => ({ path: line, status: index }))
export const isText = task(import.meta.url, 'isText', (x: unknown): x is string => typeof x === 'string')
export const { trim, add } = tasks(import.meta.url, { trim: (line: string) => line.trim(), add: (a: number, b: number) => a + b })
export const words = task(import.meta.url, 'words', async (line: string) => line.split(' '))
export const pixels = task(import.meta.url, 'pixels', (n: number) => transfer(new Uint8Array(n), []))

export const stage = imap(parse, { window: 10 })
export const settled = imap(parse, { errors: 'settle' })
export const inline = imap((line: string) => line.length, { workers: 0 })
export const stream = imap(parse, log)
export const outcomes = imap(parse, log, { errors: 'settle' })
export const taken = stream.take(3)
export const chunks = stream.chunks()
export const figures = stream.stats()
export const spread = istarmap(add, [[1, 2]])
export const spreadStage = istarmap(add)
export const kept = filter(trim, log)
export const keptStage = filter(trim)
export const narrowed = filter(isText)
export const expanded = flatMap(words, log)
export const expandedStage = flatMap(words)
export const sum = reduce(add, [1], { initial: 0, merge: (a, b) => a + b })
export const sink = reduce(add, { initial: 0, merge: (a: number, b: number) => a + b })
export const all = map(parse, log)
export const allOutcomes = map(parse, log, { errors: 'settle' })
export const sums = starmap(add, [[1, 2]])
export const called = apply(add, [1, 2])
export const arrays = batch(10, log)
export const inArrays = batch(10)
export const text = lines('access.log')
export const piped = pipe(text, stage, imap(task(import.meta.url, 'status', (hit: Hit) => hit.status)))
export const known = failure(new Error())
export function parseAll(pool: Pool, source: AsyncIterable<string>) {
  return pool.imap(parse, source)
}

export class Service {
  readonly pool = new Pool({ workers: 2 })
  readonly stages = { parse: stage, filter: keptStage }
  stats() { return this.pool.stats() }
  run(line: string) { return this.pool.apply(trim, [line]) }
}

export const lock = new Lock()
export const hold = lock.acquire()
export const [left, right] = Pipe<Hit>()
export const queue = new Queue<Hit>()
export const process = new Process({ target: trim, args: ['a'] })
export const counter = new Value('int32', 0)
export const values = new SharedArray('float64', 10)
export const typed = values.typed
export const logger = getLogger()
export const parent = parentProcess()

export const { ${[...LAZY, ...EAGER].map((name) => `${name}: my${name}`).join(', ')} } = new Pool()
${[...LAZY, ...EAGER, ...OTHERS].map((name) => `export const our${name} = ${name}`).join('\n')}
`

it('are written without an error, and name only public types', () => {
  const options = { ...compilerOptions, noEmit: false, declaration: true, emitDeclarationOnly: true }
  const host = ts.createCompilerHost(options)
  const read = host.readFile.bind(host)
  host.readFile = (path) => (path === file ? PROGRAM : read(path))
  host.fileExists = (path) => path === file || ts.sys.fileExists(path)
  const program = ts.createProgram([file], options, host)
  let written = ''
  const { diagnostics } = program.emit(undefined, (_, text) => (written = text))
  const problems = [...ts.getPreEmitDiagnostics(program), ...diagnostics]
  expect([...new Set(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')))]).toEqual(
    [],
  )
  expect(written).toContain('export declare const stage: import("millrace").Stage<string, Hit>')
  expect(written).not.toMatch(/import\("(?!millrace"|millrace\/(multiprocessing|task)"|node:)/)
})
