// @ts-check
/** `npm run docs:api`: a reference of what the package declares, in build/api. Any warning fails it. */
import { readFileSync } from 'node:fs'

/** @type {{ exports: Record<string, string | { default: { types: string } }> }} */
const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))

/** @type {Partial<import('typedoc').TypeDocOptions> & Record<string, unknown>} */
export default {
  name: 'millrace',
  entryPoints: Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry.default.types])),
  tsconfig: 'scripts/tsconfig.api.json',
  out: 'build/api',
  readme: 'none',
  disableSources: true,
  excludeExternals: true,
  excludeInternal: true,
  excludePrivate: true,
  // Types whose names nobody writes are not exported. Pages of their own show them: the signatures of verbs, for example.
  plugin: ['typedoc-plugin-missing-exports'],
  placeInternalsInOwningModule: true,
  treatWarningsAsErrors: true,
}
