/** The part that the scripts of all shells have in common. */

export const COMMANDS = ['worker', 'setup', 'hosts', 'check'] as const

const NAME = '[A-Za-z_$][A-Za-z0-9_$]*'

/**
 * Commands of the shell that print the names that a module exports, one on each line. They read its text and do not run
 * it: a key must never run a program.
 *
 * @param file How the shell writes the path of the module.
 */
export function exportsOf(file: string): string {
  const find = [
    `s/^export +(async +)?(function *[*]?|const|let|var|class) *(${NAME}).*/\\3/p`,
    's/^export +default.*/default/p',
    's/^export *[{]([^}]*)[}].*/\\1/p',
    `s/^(module[.])?exports[.](${NAME}) *=.*/\\2/p`,
  ]
  const clean = ['/^ *type /d', 's/.* as +//', 's/[^A-Za-z0-9_$]//g', '/^$/d']
  return `sed -nE ${scripts(find)} ${file} 2>/dev/null | tr ',' '\\n' | sed -E ${scripts(clean)} | sort -u`
}

function scripts(all: readonly string[]): string {
  return all.map((one) => `-e '${one}'`).join(' ')
}
