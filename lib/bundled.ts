/**
 * The error for a copy of this library that a bundler has put into another file. Workers load files of the package, and
 * these are not beside that file. This module imports nothing, because it is part of the files that a bundler copies.
 */

const CURES = [
  'esbuild: --packages=external',
  'rollup: external: [/^millrace/]',
  "webpack: externals: [/^millrace/], externalsType: 'node-commonjs'",
  "Next.js: serverExternalPackages: ['millrace']",
  "Vite: ssr: { external: ['millrace'] }",
  'Bun: --packages external',
  'ncc: --external millrace --external millrace/multiprocessing --external millrace/task',
]

/** The error for a copy of this library that cannot find its files. */
export function bundledError(cause?: unknown): Error {
  const text = `Cannot load millrace as it was bundled: its workers load its files, so keep it external (${CURES.join('; ')})`
  return Object.assign(new Error(text, { cause }), { code: 'ERR_BUNDLED' as const })
}
