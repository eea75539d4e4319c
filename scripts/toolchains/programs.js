// @ts-check
/** The programs that every toolchain runs: two files, as in the README, in the forms that the tools accept. */

/** The output of each of them. */
export const PRINTED = 'errors 2 of 3'

/** @typedef {Record<string, string>} Files by their names */

/**
 * A module of tasks, and a program that counts lines.
 *
 * @param {object} options
 * @param {'ts' | 'mts' | 'cts' | 'js' | 'mjs' | 'cjs'} options.extension of both files
 * @param {'import' | 'require'} [options.form] default: `import`
 * @param {string} [options.module] what names the module of the tasks; default: as the form has it
 * @param {string} [options.tasks] how the program names the file of the tasks; default: as it is
 * @param {'commonjs' | 'module'} [options.type] of the package; default: none
 * @returns {Files}
 */
export function program({ extension, form = 'import', module, tasks = `./tasks.${extension}`, type }) {
  const isTyped = extension.endsWith('ts')
  const line = isTyped ? 'line: string' : 'line'
  const name = module ?? (form === 'import' ? 'import.meta.url' : '__filename')
  const body = `${name}, 'level', (${line}) => line.split(' ')[1] ?? ''`
  return {
    'package.json': JSON.stringify({ private: true, ...(type && { type }) }),
    [`tasks.${extension}`]:
      form === 'import'
        ? `import { task } from 'millrace/task'\n\nexport const level = task(${body})\n`
        : `const { task } = require('millrace/task')\n\nexports.level = task(${body})\n`,
    [`main.${extension}`]: `${
      form === 'import'
        ? `import { imap, lines, pipe } from 'millrace'\nimport { level } from '${tasks}'`
        : `const { imap, lines, pipe } = require('millrace')\nconst { level } = require('${tasks}')`
    }

async function main() {
  let [all, errors] = [0, 0]
  const bytes = [Buffer.from('a ERROR\\nb INFO\\nc ERROR\\n')]
  for await (const found of pipe(lines(bytes), imap(level))) {
    all++
    if (found === 'ERROR') errors++
  }
  console.log(\`errors \${errors} of \${all}\`)
}

void main()
`,
  }
}

/**
 * The same in one file, guarded: a bundler makes one file of the two. @param {'ts' | 'mjs'} extension @returns {Files}
 */
export function singleFile(extension) {
  const line = extension === 'ts' ? 'line: string' : 'line'
  return {
    'package.json': JSON.stringify({ private: true }),
    [`app.${extension}`]: `import { imap, isMainThread, lines, pipe, task } from 'millrace'

export const level = task(import.meta.url, 'level', (${line}) => line.split(' ')[1] ?? '')

async function main() {
  let [all, errors] = [0, 0]
  for await (const found of pipe(lines([Buffer.from('a ERROR\\nb INFO\\nc ERROR\\n')]), imap(level))) {
    all++
    if (found === 'ERROR') errors++
  }
  console.log(\`errors \${errors} of \${all}\`)
}

if (isMainThread) void main()
`,
  }
}
