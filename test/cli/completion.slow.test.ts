/** Completion, in the shells themselves. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { textOf } from '#dist/cli/arguments/show.js'
import { runInstalled } from '../support/installed.js'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

const MODULE = `
export const slim = (row) => row
export default async function main() {}
export function* parts(row) {}
const a = 1
export { a as renamed, type Shape }
export type Row = object
throw new Error('Completion has run the module')
`

const folder = mkdtempSync(join(tmpdir(), 'millrace-completion-'))
beforeAll(() => {
  for (const shell of SHELLS) writeFileSync(join(folder, shell), textOf('completion', shell))
  writeFileSync(join(folder, 'tasks.js'), MODULE)
  writeFileSync(join(folder, 'common.cjs'), 'exports.first = 1\nmodule.exports.second = 2\n')
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/**
 * What the shell offers for the last of some words, in order.
 *
 * Zsh completes only at a prompt. So it runs a second zsh on a separate terminal, whose `compadd` prints the words that
 * match.
 */
const offered: Readonly<Record<Shell, (words: readonly string[]) => string[]>> = {
  bash: (words) => {
    const list = ['millrace', ...words].map((word) => `'${word}'`).join(' ')
    const script = `cd ${folder}; . ./bash; COMP_WORDS=(${list}); COMP_CWORD=${words.length}
      _millrace 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`
    return sorted(runInstalled('bash', ['--norc', '-c', script]))
  },
  zsh: (words) => {
    const script = `zmodload zsh/zpty; zpty -b z zsh -f -i
      zpty -w z ${quoted(ZSH)}
      zpty -r z text '*R''EADY*'
      zpty -n -w z ${quoted(['millrace', ...words].join(' '))}$'\\t'
      zpty -r z text '*E''ND*'; print -r -- "$text"; zpty -d z`
    const text = runInstalled('zsh', ['-f', '-c', script])
    return sorted(Array.from(text.matchAll(/<<(.*?)>>/g), ([, word = '']) => word).join('\n'))
  },
  fish: (words) => {
    const line = ['millrace', ...words].join(' ')
    const script = `cd ${folder}; source ./fish; complete -C ${quoted(line)}`
    return sorted(runInstalled('fish', ['--no-config', '-c', script]).replaceAll(/\t.*/g, ''))
  },
}

const ZSH = `cd ${folder}; autoload -Uz compinit; compinit -C -d ${folder}/dump; source ./zsh
  compadd() { local -a hits; builtin compadd -O hits "$@"; for hit in $hits; do print -rn -- "<<$hit>>"; done; builtin compadd "$@" }
  shown() { zle complete-word; print -r -- 'E''ND' }
  zle -N shown; bindkey '\\t' shown; PROMPT=; print 'R''EADY'`

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function sorted(text: string): string[] {
  return [...new Set(text.split('\n').map((line) => line.trim()))].filter((line) => line !== '').sort()
}

describe.each(SHELLS)('%s', (shell) => {
  const offers = (...words: readonly string[]): string[] => offered[shell](words)

  it('offers options', () => {
    expect(offers('--ti')).toEqual(['--timeout'])
    expect(offers('-e', 'd', '--no')).toEqual(['--no-header'])
  })

  it('offers the formats of input and output', () => {
    expect(offers('-i', 'n')).toEqual(['ndjson'])
    expect(offers('--to', '')).toEqual(['csv', 'json', 'ndjson', 'parquet', 'text', 'tsv'])
  })

  it('offers the values of other options', () => {
    expect(offers('--completion', '')).toEqual([...SHELLS].sort())
    expect(offers('--progress', 'p')).toEqual(['plain'])
  })

  it('offers the exports of a module, and does not run it', () => {
    const names = offers('-m', './tasks.js#').map((name) => name.replace('./tasks.js#', ''))
    expect(names).toEqual(['default', 'parts', 'renamed', 'slim'])
    expect(offers('--filter', './common.cjs#f').map((name) => name.replace('./common.cjs#', ''))).toEqual(['first'])
  })

  it('offers the commands for clusters as the first word', () => {
    expect(offers('work')).toContain('worker')
    expect(offers('-e', 'd', 'work')).not.toContain('worker')
  })
})
