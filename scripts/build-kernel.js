/**
 * Assembles the kernels of lib/scan, and writes them as modules. Run it when a source has changed: `npm run build:kernel`.
 * A test compares the files.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import wabt from 'wabt'

const FOLDER = new URL('../lib/scan/', import.meta.url)

/** The sources and the modules. */
export const KERNELS = /** @type {const} */ ([
  { source: 'kernel.wat', target: 'kernel.ts', name: 'KERNEL' },
  { source: 'members.wat', target: 'members-kernel.ts', name: 'MEMBERS_KERNEL' },
])

/**
 * @param {(typeof KERNELS)[number]} kernel
 * @returns {Promise<string>} The text that its module must have.
 */
export async function kernelModule({ source, name }) {
  const { parseWat } = await wabt()
  const module = parseWat(source, await readFile(new URL(source, FOLDER), 'utf8'), { simd: true, threads: true })
  const base64 = Buffer.from(module.toBinary({}).buffer).toString('base64')
  const lines = base64.match(/.{1,108}/g) ?? []
  return [
    `/** ${source}, assembled. Written by \`npm run build:kernel\`: do not change it by hand. */`,
    `export const ${name}: string =`,
    `${lines.map((line) => `  '${line}'`).join(' +\n')}\n`,
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const kernel of KERNELS) await writeFile(new URL(kernel.target, FOLDER), await kernelModule(kernel))
}
