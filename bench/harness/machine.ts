/** The machine of a run: the meaning of a figure depends on it. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { arch, availableParallelism, cpus, loadavg, totalmem, type } from 'node:os'
import { promisify } from 'node:util'

export interface Machine {
  readonly cores: number
  readonly processor: string
  readonly memory: string
  readonly system: string
  /** By name: Node, Python, and the packages that are compared. */
  readonly versions: Readonly<Record<string, string>>
  /**
   * The load of the last minute, before the first case and after the last one. Above about 1, other programs were
   * running before.
   */
  readonly load: { readonly before: number; after: number }
}

const PACKAGES = [
  'piscina',
  'tinypool',
  'workerpool',
  'poolifier',
  'threads',
  'p-map',
  'streaming-iterables',
  'it-parallel',
  'split2',
]

export async function describeMachine(): Promise<Machine> {
  const versions: Record<string, string> = { node: process.versions.node }
  const python = await pythonVersion()
  if (python !== undefined) versions.python = python
  // This file is in build/bench/harness/.
  versions.millrace = await version(new URL('../../../package.json', import.meta.url))
  for (const name of PACKAGES) {
    versions[name] = await version(new URL(`../../../node_modules/${name}/package.json`, import.meta.url))
  }
  const load = loadAverage()
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${arch()}`,
    versions,
    load: { before: load, after: load },
  }
}

export function loadAverage(): number {
  return loadavg()[0] ?? NaN
}

async function version(manifest: URL): Promise<string> {
  return (JSON.parse(await readFile(manifest, 'utf8')) as { version: string }).version
}

async function pythonVersion(): Promise<string | undefined> {
  try {
    const code = 'import platform; print(platform.python_implementation(), platform.python_version())'
    return (await promisify(execFile)('python3', ['-c', code])).stdout.trim()
  } catch {
    return undefined
  }
}
