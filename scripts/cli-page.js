// @ts-check
/**
 * docs/cli.md is made from the table of options of the command line: `npm run docs:cli` writes it. `npm run docs:check`
 * tells if it is not what the table gives.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { docsPage } from '../dist/cli/arguments/texts/docs-page.js'

const PAGE = resolve(import.meta.dirname, '../docs/cli.md')

/** @returns {string[]} */
export function problemsOfCliPage() {
  return readFileSync(PAGE, 'utf8') === docsPage()
    ? []
    : ["docs/cli.md is not what the table of options gives: run 'npm run docs:cli'"]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, docsPage())
