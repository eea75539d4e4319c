/** What users compile against: nothing of `threads`, whose declarations need the DOM library, and no fault of our own. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const dist = fileURLToPath(new URL('.', import.meta.resolve('millrace')))
const declarations = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.d.ts'))

describe('the declarations of the package', () => {
  it('are there', () => {
    expect(declarations).toContain('index.d.ts')
    expect(declarations.length).toBeGreaterThan(10)
  })

  it('import nothing of `threads`, and reference no library', () => {
    const found = declarations.flatMap((path) => {
      const text = readFileSync(join(dist, path), 'utf8')
      const { importedFiles, libReferenceDirectives, typeReferenceDirectives } = ts.preProcessFile(text)
      return [
        ...importedFiles.filter(({ fileName }) => /^threads(\/|$)/.test(fileName)),
        ...libReferenceDirectives,
        ...typeReferenceDirectives.filter(({ fileName }) => fileName !== 'node'),
      ].map(({ fileName }) => `${path}: ${fileName}`)
    })
    expect(found).toEqual([])
  })

  it('compile where there is no DOM library, checked in full', () => {
    const program = ts.createProgram([join(dist, 'index.d.ts')], {
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      types: ['node'],
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      strict: true,
      noEmit: true,
      skipLibCheck: false,
    })
    const faults = ts
      .getPreEmitDiagnostics(program)
      .filter(({ file }) => file === undefined || file.fileName.startsWith(dist))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
    expect(faults).toEqual([])
    const foreign = program.getSourceFiles().filter(({ fileName }) => fileName.includes('/node_modules/threads/'))
    expect(foreign.map(({ fileName }) => fileName)).toEqual([])
  })
})
