/** What the built declarations of an entry of the package export, as the compiler reads them. */
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export function declarations(name: string): { checker: ts.TypeChecker; exports: ts.Symbol[] } {
  const entry = fileURLToPath(import.meta.resolve(name).replace(/js$/, 'd.ts'))
  const program = ts.createProgram([entry], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
  })
  const checker = program.getTypeChecker()
  const file = program.getSourceFile(entry)
  const module = file && checker.getSymbolAtLocation(file)
  if (module === undefined) throw new Error(`Cannot read the exports of ${entry}: it is no module`)
  return { checker, exports: checker.getExportsOfModule(module) }
}
