/** Files with lines of one length, for the cases about memory. Each line begins with its number. */
import { rename, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SizedLines {
  readonly path: string
  readonly lines: number
  /** The length of a line with its end. */
  readonly bytes: number
}

const VERSION = 1

/** A file of about `size` bytes, which is made if it does not exist. */
export async function sizedLines(bytes: number, size: number): Promise<SizedLines> {
  const lines = Math.max(1, Math.round(size / bytes))
  const path = join(tmpdir(), `millrace-bench-lines-${bytes}-${lines}-v${VERSION}.txt`)
  const found = await stat(path).catch(() => undefined)
  if (found?.size !== lines * bytes) {
    const text = Array.from({ length: lines }, (_, n) => `${lineOf(n, bytes - 1)}\n`).join('')
    await writeFile(`${path}.part`, text, 'latin1')
    await rename(`${path}.part`, path)
  }
  return { path, lines, bytes }
}

/** Its number, and then other characters in each line. */
function lineOf(n: number, length: number): string {
  const word = `${n} ${String.fromCharCode(97 + (n % 26))}`
  return word.repeat(Math.ceil(length / word.length)).slice(0, length)
}
