/** Completion for zsh: to be sourced, or to be a file `_millrace` of a folder in `fpath`. */
import { OPTIONS } from '../table.js'
import type { Option } from '../option.js'
import { plain } from '../texts/section.js'
import { COMMANDS, exportsOf } from './exports.js'

export function zshCompletion(): string {
  return `#compdef millrace
# Completion of millrace for zsh. In ~/.zshrc, after compinit: source <(millrace --completion zsh)

_millrace_exports() {
  ${exportsOf('"$1"')}
}

_millrace_task() {
  if [[ $PREFIX == *'#'* ]]; then
    local -a names
    names=("\${(@f)$(_millrace_exports "\${PREFIX%%\\#*}")}")
    compset -P '*[#]'
    compadd -a names
  else
    _files
  fi
}

_millrace_operand() {
  ((CURRENT == 2)) && compadd ${COMMANDS.join(' ')}
  _files
}

_millrace() {
  _arguments -s -S \\
${OPTIONS.map((option) => `    ${spec(option)} \\`).join('\n')}
    '*:file:_millrace_operand'
}

if [[ $funcstack[1] == _millrace ]]; then
  _millrace "$@"
else
  compdef _millrace millrace
fi
`
}

/** One option of `_arguments`, which may be given again: `'*'{-o+,--output=}'[what it does]:FILE:_files'`. */
function spec(option: Option): string {
  const { short, name, value, summary } = option
  const takes = value !== undefined
  const long = `--${name}${takes ? '=' : ''}`
  const names = short === undefined ? long : `{-${short}${takes ? '+' : ''},${long}}`
  const says = plain(summary)
    .replace(/[[\]:\\]/g, '\\$&')
    .replaceAll("'", "'\\''")
  const rest = takes ? `:${value}:${action(option)}` : ''
  return `'*'${names}'[${says}]${rest}'`
}

function action({ choices, completes }: Option): string {
  if (choices !== undefined) return `(${choices.join(' ')})`
  return completes === 'task' ? '_millrace_task' : completes === 'file' ? '_files' : ' '
}
