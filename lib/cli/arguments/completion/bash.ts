/** Completion for bash 3.2 and later, with or without the package bash-completion. */
import { OPTIONS } from '../table.js'
import type { Option } from '../option.js'
import { COMMANDS, exportsOf } from './exports.js'

export function bashCompletion(): string {
  const words = OPTIONS.flatMap(typed).join(' ')
  const choices = OPTIONS.filter(({ choices }) => choices !== undefined).map(
    (option) => `    ${typed(option).join('|')}) _millrace_words '${(option.choices ?? []).join(' ')}' ;;`,
  )
  return `# Completion of millrace for bash. In ~/.bashrc: source <(millrace --completion bash)

_millrace_exports() {
  ${exportsOf('"$1"')}
}

_millrace_words() {
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}

# Without an answer, bash completes the names of files.
_millrace_task() {
  [[ $cur == *'#'* ]] || return
  local module=\${cur%%#*}
  COMPREPLY=($(compgen -P "$module#" -W "$(_millrace_exports "$module")" -- "\${cur#*#}"))
}

_millrace_nothing() {
  compopt +o default 2>/dev/null
}

_millrace() {
  local IFS=$' \\t\\n' cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  # Bash takes = for a word: --to=csv is three words.
  [[ $prev == = ]] && ((COMP_CWORD > 1)) && prev=\${COMP_WORDS[COMP_CWORD - 2]}
  [[ $cur == = ]] && cur=
  case $prev in
${choices.join('\n')}
    ${cases('task')}) _millrace_task ;;
    ${cases('file')}) ;;
    ${cases('none')}) _millrace_nothing ;;
    *)
      if [[ $cur == -* ]]; then
        _millrace_words '${words}'
      elif ((COMP_CWORD == 1)) && [[ -n $cur ]]; then
        COMPREPLY=($(compgen -f -W '${COMMANDS.join(' ')}' -- "$cur"))
        compopt -o filenames 2>/dev/null
      fi
      ;;
  esac
}

complete -o default -F _millrace millrace
`
}

/** The options that have a value of some kind, as the pattern of a case. */
function cases(kind: 'task' | 'file' | 'none'): string {
  return OPTIONS.filter(
    ({ value, choices, completes = 'none' }) => value !== undefined && choices === undefined && completes === kind,
  )
    .flatMap(typed)
    .join('|')
}

function typed({ short, name }: Option): readonly string[] {
  return [...(short === undefined ? [] : [`-${short}`]), `--${name}`]
}
