/** Completion for fish. */
import { OPTIONS } from '../table.js'
import type { Option } from '../option.js'
import { plain } from '../texts/section.js'
import { COMMANDS, exportsOf } from './exports.js'

export function fishCompletion(): string {
  return `# Completion of millrace for fish: millrace --completion fish > ~/.config/fish/completions/millrace.fish

function __millrace_exports
  ${exportsOf('$argv[1]')}
end

# The exports of the module before '#', with what is typed before them.
function __millrace_task
  set -l typed (commandline -ct | string replace -r '^(--[a-z-]+=|-[a-zA-Z](?=[./]))' '')
  if string match -q '*#*' -- $typed
    set -l module (string replace -r '#.*' '' -- $typed)
    __millrace_exports $module | string replace -r '^' -- "$module#"
  end
end

complete -c millrace -n '__fish_is_first_token' -a '${COMMANDS.join(' ')}'
${OPTIONS.map(line).join('\n')}
`
}

function line(option: Option): string {
  const { short, name, value, summary, choices, completes } = option
  const words = ['complete -c millrace', ...(short === undefined ? [] : [`-s ${short}`]), `-l ${name}`]
  // -x: its value is not a file; -r: it has a value, which may be one.
  if (value !== undefined) words.push(completes === undefined ? '-x' : '-r')
  if (choices !== undefined) words.push(`-a '${choices.join(' ')}'`)
  if (completes === 'task') words.push("-a '(__millrace_task)'")
  return `${words.join(' ')} -d ${quoted(plain(summary))}`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
