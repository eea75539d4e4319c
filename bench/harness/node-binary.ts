/** Other versions of Node, as the tests use them: `scripts/node-binary.js` installs them. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { NotMeasured } from './case.js'

/** It is not compiled. This file is in build/bench/harness/. */
const SCRIPT = fileURLToPath(new URL('../../../scripts/node-binary.js', import.meta.url))

/** The path of a Node of that version. */
export async function nodeBinary(version: string): Promise<string> {
  try {
    return (await promisify(execFile)(process.execPath, [SCRIPT, version])).stdout.trim()
  } catch (error) {
    throw new NotMeasured(`Node ${version} could not be installed: ${String(error)}`)
  }
}
