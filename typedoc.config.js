// @ts-check
/** `npm run docs:api`: a reference of all public entries, in build/api. Any warning fails it. */
import { readFileSync } from 'node:fs'

/** @type {{ exports: Record<string, string | { default: { types: string } }> }} */
const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  name: 'millrace',
  entryPoints: Object.values(exports).flatMap((entry) =>
    typeof entry === 'string' ? [] : [entry.default.types.replace(/^\.\/dist\/(.*)\.d\.ts$/, 'lib/$1.ts')],
  ),
  tsconfig: 'tsconfig.json',
  out: 'build/api',
  readme: 'none',
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  // Types from which others are inferred: nobody writes their names.
  intentionallyNotExported: [
    'lib/multiprocessing/shared/typecodes.ts:Codes',
    'lib/multiprocessing/shared/typecodes.ts:TypedArrays',
    'lib/task.ts:AnyFunction',
    'lib/task.ts:Arguments',
    'lib/task.ts:Parameter0',
    'lib/task.ts:Result',
    'lib/task.ts:Tasks',
    'lib/task.ts:WithContext',
    'lib/verb/apply.ts:Rest',
    'lib/executor/launch.ts:WorkerEnv',
  ],
  treatWarningsAsErrors: true,
}
