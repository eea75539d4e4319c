/**
 * Assembles lib/scan/kernel.wat, and writes lib/scan/kernel.ts. Run it when the source of the kernel has changed:
 * `npm run build:kernel`. A test compares the two files.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import wabt from 'wabt'

const SOURCE = new URL('../lib/scan/kernel.wat', import.meta.url)
const TARGET = new URL('../lib/scan/kernel.ts', import.meta.url)

/** @returns {Promise<string>} The text that kernel.ts must have. */
export async function kernelModule() {
  const { parseWat } = await wabt()
  const module = parseWat('kernel.wat', await readFile(SOURCE, 'utf8'), { simd: true, threads: true })
  const base64 = Buffer.from(module.toBinary({}).buffer).toString('base64')
  const lines = base64.match(/.{1,108}/g) ?? []
  return [
    '/** kernel.wat, assembled. Written by `npm run build:kernel`: do not change it by hand. */',
    'export const KERNEL: string =',
    `${lines.map((line) => `  '${line}'`).join(' +\n')}\n`,
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(TARGET, await kernelModule())
