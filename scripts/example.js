// @ts-check
/**
 * Examples in Markdown: finds the code blocks to run, and their expected output.
 *
 * A block is run when the comment `<!-- run: primes.mjs -->` stands before it. In the code, a line that ends with
 * `// → 42` says that 42 is the next line of its output. `<!-- run: load.ts needs: postgres -->` says what else it needs:
 * see example-needs.js.
 */
import { spawn } from 'node:child_process'

/** The longest run of an example, in milliseconds. */
const TIME_LIMIT = 30_000

/**
 * @typedef {object} Block a code block of a document
 * @property {string} name the file name it is to be run under
 * @property {string} code
 * @property {number} line the line of the document, from 1, on which the code begins
 * @property {string} [needs] what it needs beside the package
 */

/**
 * The marked code blocks of a Markdown document, in order.
 * @param {string} markdown
 * @param {string} path the document's path, for error texts
 * @returns {Block[]}
 */
export function markedBlocks(markdown, path) {
  /** @type {Block[]} */
  const blocks = []
  const lines = markdown.split(/\r?\n/)
  for (const [at, text] of lines.entries()) {
    if (!/<!--\s*run:/.test(text)) continue
    const mark = /^<!-- run: ([\w.-]+\.(?:ts|mts|js|mjs|cjs))(?: needs: ([\w-]+))? -->$/.exec(text.trim())
    const [, name, needs] = mark ?? []
    if (name === undefined) {
      throw new Error(
        `${path}:${at + 1}: write this mark as <!-- run: NAME --> or <!-- run: NAME needs: … --> with a .ts, .mts, .js, .mjs or .cjs NAME`,
      )
    }
    if (blocks.some((block) => block.name === name)) {
      throw new Error(`${path}:${at + 1}: ${name} is the name of an earlier block: choose another`)
    }
    const start = lines.findIndex((line, n) => n > at && line.trim() !== '')
    const end = lines.findIndex((line, n) => n > start && line === '```')
    if (!/^```(ts|js)$/.test(lines[start] ?? '') || end === -1) {
      throw new Error(`${path}:${at + 1}: a \`\`\`ts or \`\`\`js block must follow the mark of ${name}`)
    }
    const code = lines.slice(start + 1, end).join('\n') + '\n'
    blocks.push({ name, code, line: start + 2, ...(needs !== undefined && { needs }) })
  }
  return blocks
}

/**
 * The expected output of an example: the text of its `// → ` comments, in order.
 * @param {string} code
 */
export function claims(code) {
  return Array.from(code.matchAll(/\/\/ → (.*)$/gm), ([, text]) => (text ?? '').trimEnd())
}

/**
 * Runs an example in its own folder, with this Node or another.
 * @param {string} folder
 * @param {string} name
 * @param {string[]} expected the lines it must begin its output with
 * @param {import('./example-needs.js').Surroundings} [surroundings]
 * @returns {Promise<string | undefined>} what went wrong, or nothing
 */
export async function runExample(folder, name, expected, surroundings) {
  const { code, signal, stdout, stderr, late } = await run(folder, name, surroundings)
  if (late) return `it did not end within ${TIME_LIMIT / 1000} s\n${stderr}`
  if (code !== 0) return `it ended with ${signal ?? `exit code ${code}`}\n${stderr}`
  const printed = stdout.split(/\r?\n/).map((line) => line.trimEnd())
  // The text after the last line end is not a line.
  if (printed.at(-1) === '') printed.pop()
  for (const [n, line] of expected.entries()) {
    if (printed[n] === line) continue
    const instead = n < printed.length ? `it printed '${printed[n]}'` : 'it had ended'
    return `line ${n + 1} of its output is said to be '${line}': ${instead}`
  }
  return undefined
}

/**
 * @param {string} folder
 * @param {string} name
 * @param {import('./example-needs.js').Surroundings} [surroundings]
 * @returns {Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string, late: boolean }>}
 */
function run(folder, name, { node = process.execPath, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const options = { cwd: folder, env: { ...process.env, ...env } }
    const child = spawn(node, [name], { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, TIME_LIMIT)
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, stdout, stderr, late })
    })
  })
}
