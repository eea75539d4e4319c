/** The exports of the built declarations of the package, as the compiler reads them. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = new URL('../../../', import.meta.url)

/** By the name that a user imports, the file of its declarations. */
export const entryFiles: ReadonlyMap<string, string> = readEntries()

/** Without the DOM library, as in most programs of Node. */
export const compilerOptions: Readonly<ts.CompilerOptions> = {
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  types: ['node'],
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  noEmit: true,
  skipLibCheck: false,
}

let made: ts.Program | undefined

/** One for all tests, because it takes some seconds. */
export function declarationsProgram(): ts.Program {
  made ??= ts.createProgram([...entryFiles.values()], compilerOptions)
  return made
}

/** The exported names of an entry, with their declarations. */
export function declarations(name: string): { checker: ts.TypeChecker; exports: ts.Symbol[] } {
  const program = declarationsProgram()
  const checker = program.getTypeChecker()
  const file = program.getSourceFile(entryFiles.get(name) ?? '')
  const module = file && checker.getSymbolAtLocation(file)
  if (module === undefined) throw new Error(`Cannot read the exports of ${name}: it is not a module`)
  return { checker, exports: checker.getExportsOfModule(module) }
}

/** The declaration of an exported name. For a name that an entry re-exports, the original one. */
export function meaning(checker: ts.TypeChecker, exported: ts.Symbol): ts.Symbol {
  return exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
}

function readEntries(): Map<string, string> {
  const { exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    exports: Record<string, string | { default: { types: string } }>
  }
  return new Map(
    Object.entries(exports).flatMap(([name, entry]) =>
      typeof entry === 'string'
        ? []
        : [[name.replace(/^\./, 'millrace'), fileURLToPath(new URL(entry.default.types, root))] as const],
    ),
  )
}
