// @ts-check
/**
 * Checks the English of pages, comments and error texts, as far as a program can. A sentence has at most 25 words.
 * Phrases that are hard to read for people of another first language are refused. Words are not counted in code blocks,
 * headings and tables. `npm run docs:check` runs it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

process.chdir(resolve(import.meta.dirname, '..'))

const MAX_WORDS = 25
const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'bench/README.md', 'examples/README.md', 'test/README.md'],
  ...filesOf('docs', '.md'),
]
const CODE = filesOf('lib', '.ts')
/** Their comments are checked, too. */
const COMMENTED = [
  ...['lib', 'bench', 'examples', 'test'].flatMap((folder) => filesOf(folder, '.ts')),
  ...filesOf('scripts', '.js'),
]

/** Each phrase, and its replacement. @type {[RegExp, string][]} */
const PHRASES = [
  [/\bof (?:its|their|one's|your) own\b/i, "'its own …', 'separate'"],
  [/\bbut for\b/i, "'except'"],
  [/\bfor ever\b/i, "'without end'"],
  [/\bwhoever\b/i, "'the caller', 'the thread that …'"],
  [/\bwhat (?:becomes|became|comes) of\b/i, "the thing itself, such as 'the result'"],
  [/\bso many\b/i, "'this many'"],
  [/\bin good order\b/i, "'normally'"],
  [/\bdear(?:er|est)?\b/i, "'expensive'"],
  [/\bmend(?:s|ed|ing)?\b/i, "'fix'"],
  [/\bbef[ae]ll?s?\b/i, "'happen'"],
  [/\bhow many-eth\b/i, "'index'"],
  [/\bas of\b/i, "'since', 'such as that of'"],
]

/** All problems, each with its file and line. */
export function problemsOfEnglish() {
  return [
    ...PAGES.flatMap(problemsOfPage),
    ...CODE.flatMap(problemsOfErrorTexts),
    ...COMMENTED.flatMap(problemsOfComments),
  ]
}

/** @param {string} page */
function problemsOfPage(page) {
  return blocks(readFileSync(page, 'utf8')).flatMap(({ line, text, isTable }) => {
    const where = `${page}:${line}`
    const plain = text.replace(/`[^`]*`/g, 'code').replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    return [...phrasesIn(plain, where), ...(isTable ? [] : longSentences(plain, where))]
  })
}

/** @param {string} file */
function problemsOfComments(file) {
  return commentsOf(readFileSync(file, 'utf8')).flatMap(({ line, text }) => {
    const plain = text.replace(/`[^`]*`/g, 'code')
    return [...phrasesIn(plain, `${file}:${line}`), ...longSentences(plain, `${file}:${line}`)]
  })
}

/** @param {string} file */
function problemsOfErrorTexts(file) {
  const lines = Array.from(readFileSync(file, 'utf8').split('\n').entries())
  return lines.flatMap(([at, line]) => (line.includes('Cannot ') ? phrasesIn(line, `${file}:${at + 1}`) : []))
}

/** @param {string} text @param {string} where */
function longSentences(text, where) {
  return text.split(/(?<=[.!?][)"*]*)\s+(?=[A-Z\d"(*]|code\b)/).flatMap((sentence) => {
    const count = sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length
    return count > MAX_WORDS ? [`${where}: ${count} words, at most ${MAX_WORDS}: ${sentence}`] : []
  })
}

/** @param {string} text @param {string} where */
function phrasesIn(text, where) {
  return PHRASES.flatMap(([phrase, instead]) => {
    const found = phrase.exec(text)
    return found ? [`${where}: '${found[0]}': write ${instead}: ${text.trim()}`] : []
  })
}

/**
 * The paragraphs, list entries and rows of tables of a page, each with the line on which it begins.
 *
 * @param {string} markdown
 */
function blocks(markdown) {
  /** @type {{ line: number, text: string, isTable: boolean }[]} */
  const found = []
  let isFenced = false
  let isOpen = false
  for (const [at, line] of markdown.split('\n').entries()) {
    if (/^\s*```/.test(line)) isFenced = !isFenced
    if (isFenced || /^\s*(?:$|```|<|#)|^ {4}(?!\s*[-*\d])\S/.test(line)) {
      isOpen = false
      continue
    }
    const isTable = line.trimStart().startsWith('|')
    const entry = /^\s*(?:[-*]|\d+[.])\s+(.*)$/.exec(line)
    const last = found.at(-1)
    if (isOpen && last !== undefined && entry === null && !isTable) last.text += ` ${line.trim()}`
    else found.push({ line: at + 1, text: entry?.[1] ?? line.trim(), isTable })
    isOpen = !isTable
  }
  return found
}

/**
 * The paragraphs, list entries and tags of the comments of a file, without code, each with the line on which it begins.
 *
 * @param {string} code
 */
function commentsOf(code) {
  /** @type {{ line: number, text: string }[]} */
  const found = []
  let isFenced = false
  let isOpen = false
  for (const [at, line] of code.split('\n').entries()) {
    const text = /^\s*(?:\/\*\*?|\*(?= |$)|\/\/(?= ))\s*(.*?)\s*(?:\*\/)?$/.exec(line)?.[1] ?? ''
    if (text.startsWith('```')) isFenced = !isFenced
    if (isFenced || /^(?:$|```|→|@type\b|@typedef\b)/.test(text)) {
      isOpen = false
      continue
    }
    const last = found.at(-1)
    if (isOpen && last !== undefined && !/^(?:- |@)/.test(text)) last.text += ` ${text}`
    else found.push({ line: at + 1, text: text.replace(/^(?:- |@\w+ )/, '') })
    isOpen = !line.includes('*/')
  }
  return found
}

/** @param {string} folder @param {string} ending */
function filesOf(folder, ending) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(ending))
  return names.sort().map((name) => join(folder, name))
}
