/** The published declarations, and the members of each public class. They must not show internal members. */
import { readdirSync, readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { declarations, declarationsProgram, entryFiles, meaning } from './support/declarations.js'

const TAKERS = ['acquire', 'acquireSync', 'release', 'withLock']
const ATOMICS = ['Load', 'Add', 'Sub', 'And', 'Or', 'Xor', 'Store', 'Exchange', 'CompareExchange']
const NUMBERS = ['type', 'getLock', ...ATOMICS.map((name) => `atomic${name}`)]
const RESULTS = ['next', 'return', 'take', 'drop', 'toArray', '[asyncIterator]', '[asyncDispose]']
const SENT = ['putNow', 'putSync', 'put', 'getNow', 'getSync', 'get']
const QUEUE = ['size', 'isEmpty', 'isFull', 'closed', 'close', '[asyncIterator]', ...SENT]
const LAZY = ['imap', 'istarmap', 'filter', 'flatMap']

/** Errors have the members of `Error`, and `code`. */
const ERROR = ['name', 'message', 'stack', 'cause', 'code']

const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  Barrier: ['parties', 'waiting', 'broken', 'wait', 'waitSync', 'reset', 'abort'],
  BoundedSemaphore: ['value', ...TAKERS],
  Cluster: [
    ...LAZY.flatMap((name) => [name, `${name}Unordered`]),
    ...['namespace', 'group', 'reduce', 'map', 'starmap', 'apply', 'ready', 'hosts', 'close', 'terminate', 'stats'],
    '[asyncDispose]',
  ],
  Condition: [...TAKERS, 'wait', 'waitSync', 'waitFor', 'waitForSync', 'notify', 'notifyAll'],
  Connection: [
    'closed',
    'send',
    'sendSync',
    'recv',
    'recvSync',
    'poll',
    'pollSync',
    'close',
    '[asyncIterator]',
    '[dispose]',
  ],
  Event: ['isSet', 'set', 'clear', 'wait', 'waitSync'],
  LockGuard: ['abandoned', 'release', '[dispose]'],
  InputError: [...ERROR, 'offset'],
  JoinableQueue: [...QUEUE, 'unfinished', 'taskDone', 'join', 'joinSync'],
  LineError: [...ERROR, 'line', 'offset'],
  Lock: ['locked', ...TAKERS],
  Pool: [
    ...LAZY.flatMap((name) => [name, `${name}Unordered`]),
    ...['name', 'workers', 'reduce', 'map', 'starmap', 'apply', 'close', 'terminate', 'stats', '[asyncDispose]'],
  ],
  Process: [
    ...['sentinel', 'name', 'daemon', 'isAlive', 'exitCode', 'pid', 'error', 'start', 'join', 'terminate', 'close'],
    '[asyncDispose]',
  ],
  Queue: QUEUE,
  RecordError: [...ERROR, 'file', 'line', 'offset', 'record'],
  RLock: ['locked', ...TAKERS],
  Results: RESULTS,
  Semaphore: ['value', ...TAKERS],
  SharedArray: [...NUMBERS, 'length', 'typed', 'at', 'slice', 'set', 'fill', '[iterator]'],
  Stream: [...RESULTS, 'chunks', 'stats'],
  Value: [...NUMBERS, 'value'],
  WorkerCrashError: [...ERROR, 'exitCode', 'signal'],
}

/** Classes that only the library makes instances of. */
const NOT_MADE = ['Connection', 'LockGuard']

/** The internal constructors have types that users do not have. */
const INTERNAL = /\b(Memory|Shared|Holding|StreamPlan)\b/

const classes = publicClasses()

interface PublicClass {
  readonly members: readonly string[]
  readonly constructors: readonly string[]
  readonly isError: boolean
}

function publicClasses(): Map<string, PublicClass> {
  const found = new Map<string, PublicClass>()
  for (const entry of entryFiles.keys()) {
    const { checker, exports } = declarations(entry)
    for (const exported of exports) {
      const symbol = meaning(checker, exported)
      if ((symbol.flags & ts.SymbolFlags.Class) === 0 || symbol.valueDeclaration === undefined) continue
      const type = checker.getDeclaredTypeOfSymbol(symbol)
      const made = checker.getTypeOfSymbolAtLocation(symbol, symbol.valueDeclaration).getConstructSignatures()
      found.set(symbol.name, {
        members: checker.getPropertiesOfType(type).filter(isPublic).map(shown),
        constructors: made
          .filter(({ declaration }) => isAccessible(declaration))
          .map((each) => checker.signatureToString(each)),
        isError: checker.getPropertyOfType(type, 'stack') !== undefined,
      })
    }
  }
  return found
}

function isPublic(member: ts.Symbol): boolean {
  return !member.name.includes('#') && (member.declarations ?? []).every(isAccessible)
}

function isAccessible(declaration: ts.Declaration | undefined): boolean {
  if (declaration === undefined) return true
  return (ts.getCombinedModifierFlags(declaration) & (ts.ModifierFlags.Protected | ts.ModifierFlags.Private)) === 0
}

/** `[dispose]` for a symbol of the language. */
function shown({ name }: ts.Symbol): string {
  return name.replace(/^__@(\w+)@\d+$/, '[$1]')
}

it.each([...classes])('%s has the members that it is meant to have', (name, { members, isError }) => {
  expect([...members].sort()).toEqual([...(MEMBERS[name] ?? (isError ? ERROR : []))].sort())
})

it('has each class of the list', () => {
  const declared = [...classes].filter(([, { isError }]) => !isError).map(([name]) => name)
  const listed = Object.keys(MEMBERS).filter((name) => !name.endsWith('Error'))
  expect(declared.sort()).toEqual(listed.sort())
})

it('has no constructor that is for the library alone', () => {
  const found = [...classes].flatMap(([name, { constructors }]) => constructors.map((each) => `${name}${each}`))
  expect(found.filter((each) => INTERNAL.test(each))).toEqual([])
  expect([...classes].filter(([name, { constructors }]) => NOT_MADE.includes(name) && constructors.length > 0)).toEqual(
    [],
  )
})

describe('the published declarations', () => {
  const dist = fileURLToPath(new URL('.', import.meta.resolve('millrace')))
  const published = [
    ...readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.d.cts')),
    ...[...entryFiles.values()].map((path) => path.slice(dist.length)),
  ]

  it('are a file for each entry and its form for `import`, and one with the types of all', () => {
    const names = ['index', 'multiprocessing/index', 'nats/index', 'task-module']
    const files = [...names.flatMap((name) => [`${name}.d.cts`, `${name}.d.ts`]), 'types.d.cts']
    expect(published.map((path) => path.replaceAll('\\', '/')).sort()).toEqual(files.sort())
  })

  it('import nothing of `threads`, whose declarations need the DOM library, and reference no library', () => {
    const found = published.flatMap((path) => {
      const text = readFileSync(join(dist, path), 'utf8')
      const { importedFiles, libReferenceDirectives, typeReferenceDirectives } = ts.preProcessFile(text)
      return [
        ...importedFiles.filter(({ fileName }) => !/^(node:|[.])/.test(fileName)),
        ...libReferenceDirectives,
        ...typeReferenceDirectives.filter(({ fileName }) => fileName !== 'node'),
      ].map(({ fileName }) => `${path}: ${fileName}`)
    })
    expect(found).toEqual([])
  })

  it('compile where there is no DOM library, checked in full, and read nothing of other packages but types of Node', () => {
    const program = declarationsProgram()
    const faults = ts
      .getPreEmitDiagnostics(program)
      .filter(({ file }) => file === undefined || file.fileName.startsWith(dist))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
    expect(faults).toEqual([])
    const foreign = program
      .getSourceFiles()
      .map(({ fileName }) => fileName)
      .filter(
        (file) => !file.startsWith(dist) && !/\/node_modules\/(typescript|@types\/node|undici-types)\//.test(file),
      )
    expect(foreign).toEqual([])
  })

  it('declare each public name under that name, once, with its documentation', () => {
    const wrong = [...entryFiles.keys()].flatMap((entry) => {
      const { checker, exports } = declarations(entry)
      return exports.flatMap((exported) => {
        const symbol = meaning(checker, exported)
        const files = new Set(symbol.declarations?.map((each) => each.getSourceFile().fileName))
        const isOurs = [...files].every((file) => file.startsWith(dist))
        const documented = !isOurs || symbol.getDocumentationComment(checker).length > 0
        return symbol.name === exported.name && documented && files.size === 1 ? [] : [`${entry}: ${exported.name}`]
      })
    })
    expect(wrong).toEqual([])
  })

  it('lead an editor to the sources: each name to its own', () => {
    const file = join(dist, 'types.d.cts')
    const map = new SourceMap(
      JSON.parse(readFileSync(`${file}.map`, 'utf8')) as ConstructorParameters<typeof SourceMap>[0],
    )
    const wrong = [...entryFiles.keys()].flatMap((entry) => {
      const { checker, exports } = declarations(entry)
      return exports.filter((exported) => {
        const [declared] = meaning(checker, exported).declarations ?? []
        const name = declared && ts.getNameOfDeclaration(declared)
        const source = name?.getSourceFile()
        if (source?.fileName !== file) return exported.name !== 'isMainThread'
        const { line, character } = source.getLineAndCharacterOfPosition(name?.getStart() ?? 0)
        const origin = map.findEntry(line, character)
        if (!('originalSource' in origin)) return true
        const lines = readFileSync(join(dist, origin.originalSource), 'utf8').split('\n')
        return !lines[origin.originalLine]?.startsWith(exported.name, origin.originalColumn)
      })
    })
    expect(wrong.map(({ name }) => name)).toEqual([])
  })
})
