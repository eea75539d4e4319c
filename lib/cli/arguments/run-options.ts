/** How stages run, and what happens with items that fail. */
import type { OptionGroup } from './option.js'
import { duration, integer, limit, path } from './values.js'

/** More do not help on any machine, and each takes memory. */
const MAX_WORKERS = 1_024

export const RUN: OptionGroup = {
  title: 'Run',
  options: [
    {
      name: 'workers',
      short: 'j',
      value: 'N',
      summary: 'how many workers',
      initial: 'the number of cores',
      also: ['jobs', 'threads', 'parallel', 'concurrency', 'procs', 'cores'],
      effect: { reads: (text, as) => ({ run: { workers: integer(text, as, 1, MAX_WORKERS) } }) },
    },
    {
      name: 'unordered',
      short: 'u',
      summary: 'give results as they come, not in order',
      effect: { sets: { run: { isUnordered: true } } },
    },
    {
      name: 'window',
      value: 'N',
      summary: 'the most items that are in work at once',
      isRare: true,
      initial: 'chosen by the run',
      effect: { reads: (text, as) => ({ run: { window: integer(text, as, 1) } }) },
    },
    {
      name: 'timeout',
      value: 'TIME',
      summary: 'for one item: `500` (ms), `5s` or `2m`',
      initial: 'none',
      effect: { reads: (text, as) => ({ run: { timeout: duration(text, as) } }) },
    },
    {
      name: 'retries',
      value: 'N',
      summary: 'how often an item that failed is tried again',
      initial: '0',
      also: ['retry'],
      effect: { reads: (text, as) => ({ run: { retries: integer(text, as, 0) } }) },
    },
    {
      name: 'resume',
      summary: 'go on where an earlier run was stopped; it needs `-o`',
      details:
        'Give it from the start, and the same command again after a stop: the output is then that of a run without a stop. Such a run makes a checkpoint every 5 seconds, and at the first signal. Options such as `-j`, `--window`, `--timeout` and `--progress` may change, all others and the modules may not. Inputs must be files.',
      also: ['continue', 'restart', 'recover'],
      effect: { sets: { resume: { isOn: true } } },
    },
    {
      name: 'checkpoint',
      value: 'FILE',
      summary: 'where the checkpoint of `--resume` is',
      isRare: true,
      details: 'With it, and `-r`, the result may go to the standard output.',
      initial: 'the file of -o, with .checkpoint behind it',
      completes: 'file',
      needs: ['resume'],
      effect: { reads: (text, as) => ({ resume: { checkpoint: path(text, as) } }) },
    },
    {
      name: 'allow-changed-code',
      summary: 'go on though a module has changed',
      isRare: true,
      details: 'Say so if the results stay the same.',
      needs: ['resume'],
      effect: { sets: { resume: { allowsChangedCode: true } } },
    },
    {
      name: 'dry-run',
      summary: 'print what would be done, and write no file',
      details: 'Nothing is read. With `--head N` the plan goes to the standard error, and N results follow.',
      also: ['dryrun', 'plan', 'simulate'],
      effect: { sets: { run: { isDry: true } } },
    },
  ],
}

export const FAULTS: OptionGroup = {
  title: 'Items that fail',
  options: [
    {
      name: 'rejects',
      value: 'FILE',
      summary: 'write items that fail to FILE, and go on',
      details:
        'One JSON object on each line: file, record, error, and the item or its text. `--replay` reads it. Without it, or `--skip-errors`, the first item that fails ends the run.',
      completes: 'file',
      excludes: ['skip-errors'],
      effect: { reads: (text, as) => ({ faults: { rejects: path(text, as) } }) },
    },
    {
      name: 'skip-errors',
      summary: 'count items that fail, and go on',
      details:
        'With `--head`, items that fail behind the last result do not count. Where a later stage uses `i`, the stages before it work ahead, and some of those items may count.',
      also: ['skip-error', 'ignore-errors', 'keep-going'],
      effect: { sets: { faults: { skipErrors: true } } },
    },
    {
      name: 'max-errors',
      value: 'N|P%',
      summary: 'give up when more items fail, with exit code 4',
      details: 'A share is judged from 1,000 items on, and in the end.',
      initial: 'any number',
      needs: ['rejects', 'skip-errors'],
      effect: { reads: (text, as) => ({ faults: { maxErrors: limit(text, as) } }) },
    },
  ],
}
