/** The members of each public class, as the published declarations show them: nothing that is for the library alone. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const TAKERS = ['acquire', 'acquireSync', 'release', 'withLock']
const ATOMICS = ['Load', 'Add', 'Sub', 'And', 'Or', 'Xor', 'Store', 'Exchange', 'CompareExchange']
const NUMBERS = ['type', 'getLock', ...ATOMICS.map((name) => `atomic${name}`)]
const RESULTS = ['next', 'return', 'take', 'drop', 'toArray', '[asyncIterator]', '[asyncDispose]']
const SENT = ['putNow', 'putSync', 'put', 'getNow', 'getSync', 'get']
const QUEUE = ['size', 'isEmpty', 'isFull', 'closed', 'close', '[asyncIterator]', ...SENT]
const LAZY = ['imap', 'istarmap', 'filter', 'flatMap']

/** Errors have those of `Error`, and `code`. */
const ERROR = ['name', 'message', 'stack', 'cause', 'code']

const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  Barrier: ['parties', 'waiting', 'broken', 'wait', 'waitSync', 'reset', 'abort'],
  BoundedSemaphore: ['value', ...TAKERS],
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
  Hold: ['abandoned', 'release', '[dispose]'],
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
  RLock: ['locked', ...TAKERS],
  Results: RESULTS,
  Semaphore: ['value', ...TAKERS],
  SharedArray: [...NUMBERS, 'length', 'typed', 'at', 'slice', 'set', 'fill', '[iterator]'],
  Stream: [...RESULTS, 'chunks', 'stats'],
  Value: [...NUMBERS, 'value'],
  WorkerCrashError: [...ERROR, 'exitCode'],
}

/** Classes that only the library makes instances of. */
const NOT_MADE = ['Connection', 'Hold']

/** The constructors that are for the library alone have types that no user has. */
const INTERNAL = /\b(Memory|Shared|Holding|StreamPlan)\b/

const classes = publicClasses()

interface PublicClass {
  readonly members: readonly string[]
  readonly constructors: readonly string[]
  readonly isError: boolean
}

function publicClasses(): Map<string, PublicClass> {
  const root = new URL('../../', import.meta.url)
  const { exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    exports: Record<string, string | { default: { types: string } }>
  }
  const entries = Object.values(exports).flatMap((entry) =>
    typeof entry === 'string' ? [] : [fileURLToPath(new URL(entry.default.types, root))],
  )
  const program = ts.createProgram(entries, {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    types: ['node'],
  })
  const checker = program.getTypeChecker()
  const found = new Map<string, PublicClass>()
  for (const entry of entries) {
    const file = program.getSourceFile(entry)
    const module = file && checker.getSymbolAtLocation(file)
    if (module === undefined) throw new Error(`Cannot read the exports of ${entry}: it is not a module`)
    for (const exported of checker.getExportsOfModule(module)) {
      const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0
      const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported
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
