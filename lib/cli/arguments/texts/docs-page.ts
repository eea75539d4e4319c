/** docs/cli.md: `npm run docs:cli` writes it, and `npm run docs:check` compares it. */
import { DESCRIPTION, manual, NAME, USAGE } from './manual.js'
import type { Block } from './section.js'

const INSTALL = `\`\`\`sh
npx millrace -e 'd.length' notes.txt                  # from a project that has it
npm install --global millrace                          # for all folders
source <(millrace --completion bash)                   # in ~/.bashrc; zsh likewise
millrace --completion fish > ~/.config/fish/completions/millrace.fish
millrace --man | man -l -                              # this page, offline
\`\`\``

export function docsPage(): string {
  const sections = manual().map(({ title, blocks }) => `## ${title}\n\n${blocks.map(shown).join('\n\n')}`)
  const parts = [
    '# The command line',
    '<!-- Made by `npm run docs:cli` from the table of options in lib/cli/arguments/: change that. -->',
    `${NAME}.`,
    `\`\`\`sh\n${USAGE.join('\n')}\n\`\`\``,
    ...DESCRIPTION,
    INSTALL,
    ...sections,
  ]
  return `${parts.join('\n\n')}\n`
}

function shown(block: Block): string {
  if ('text' in block) return block.text
  if ('terms' in block) {
    return ['| | |', '|---|---|', ...block.terms.map(([term, text]) => `| \`${cell(term)}\` | ${cell(text)} |`)].join(
      '\n',
    )
  }
  return block.examples.map(({ says, command }) => `${says}:\n\n\`\`\`sh\n${command}\n\`\`\``).join('\n\n')
}

/** A bar would end the cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
