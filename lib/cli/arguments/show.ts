/** The texts that the command prints instead of a run. They are loaded when they are asked for. */
import { MILLRACE_VERSION } from '../../version.js'
import { bashCompletion } from './completion/bash.js'
import { fishCompletion } from './completion/fish.js'
import { zshCompletion } from './completion/zsh.js'
import type { Shown } from './option.js'
import { longHelp } from './texts/long-help.js'
import { manPage } from './texts/man-page.js'
import { shortHelp } from './texts/short-help.js'

const COMPLETIONS: Readonly<Record<string, () => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
}

/** @param shell For completion. @returns With its last line end. */
export function textOf(shows: Shown, shell = ''): string {
  if (shows === 'usage') return shortHelp()
  if (shows === 'help') return longHelp()
  if (shows === 'man') return manPage()
  if (shows === 'version') return `millrace ${MILLRACE_VERSION}\n`
  const completion = COMPLETIONS[shell]
  if (completion === undefined) throw new Error(`There is no completion for '${shell}'`)
  return completion()
}
