/** What the command tells about a run, and about itself. */
import type { OptionGroup } from './option.js'
import { choice, reportPath } from './values.js'

const PROGRESS = ['auto', 'always', 'never', 'plain', 'json'] as const
const COLOR = ['auto', 'always', 'never'] as const
/** Those that have completion. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const

export const REPORT: OptionGroup = {
  title: 'Messages',
  options: [
    {
      name: 'progress',
      value: 'WHEN',
      summary: 'when it is shown: `auto`, `always`, `never`, `plain`, `json`',
      details:
        '`auto` shows a line on the standard error if that is a terminal, and no results go to a terminal. `plain` is a line every 10 seconds, `json` an object every second.',
      initial: 'auto',
      choices: PROGRESS,
      effect: { reads: (text, as) => ({ tell: { progress: choice(text, as, PROGRESS) } }) },
    },
    {
      name: 'report',
      value: 'FILE',
      summary: 'a report on the run: `.html`, `.svg` or `.json`',
      details: 'Whether it can be written is tried before the run.',
      completes: 'file',
      effect: { reads: (text, as) => ({ tell: { report: reportPath(text, as) } }) },
    },
    {
      name: 'quiet',
      short: 'q',
      summary: 'neither progress nor a summary in the end',
      excludes: ['verbose'],
      also: ['silent'],
      effect: { sets: { tell: { isQuiet: true } } },
    },
    {
      name: 'verbose',
      short: 'v',
      summary: 'a summary in the end, and stacks of errors',
      details:
        'Where progress is shown, there is a summary without it, too. With `--head`, its reasons of failures may be those of some more items: workers work ahead.',
      effect: { sets: { tell: { isVerbose: true } } },
    },
    {
      name: 'color',
      value: 'WHEN',
      summary: 'when colors are used: `auto`, `always` or `never`',
      isRare: true,
      details: '`auto` heeds `NO_COLOR` and `FORCE_COLOR`.',
      initial: 'auto',
      choices: COLOR,
      also: ['colour', 'colors'],
      effect: { reads: (text, as) => ({ tell: { color: choice(text, as, COLOR) } }) },
    },
    {
      name: 'help',
      short: 'h',
      summary: '`-h`: this on one screen, `--help`: all',
      effect: { shows: 'help' },
    },
    { name: 'version', summary: 'the version', isRare: true, effect: { shows: 'version' } },
    { name: 'man', summary: 'the manual, for `man -l -`', isRare: true, also: ['manual'], effect: { shows: 'man' } },
    {
      name: 'completion',
      value: 'SHELL',
      summary: 'the completion of `bash`, `zsh` or `fish`',
      isRare: true,
      choices: SHELLS,
      effect: { shows: 'completion' },
    },
  ],
}
