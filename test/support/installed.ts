/** Programs that tests need besides Node. A test whose program is missing fails, and says how to install it. */
import { spawnSync } from 'node:child_process'

/** @returns What it has written. It must have ended well, and its standard error must be empty. */
export function runInstalled(name: string, args: readonly string[], options: { readonly input?: string } = {}): string {
  const { error, status, stdout, stderr } = spawnSync(name, args, { encoding: 'utf8', ...options })
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
    throw new Error(`This test needs ${name}: apt-get install ${name}`)
  }
  if (error !== undefined) throw error
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout
}
