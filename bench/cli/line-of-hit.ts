/** What is written of each line of a log. It is a module for `--map`, and what the Node scripts for GNU parallel call. */
import { parse } from '../work/parse.js'

export default function lineOfHit(line: string): string {
  const { status, method, path, bytes } = parse(line)
  return `${status} ${method} ${path} ${bytes}`
}
