/** Refuses what does not go together. Each error is one line that says what to do. */
import {
  inputFormatOfName,
  suffixOf,
  unwrittenSuffixOf,
  writtenCompressionOf,
  writtenFormatOf,
} from '../../io/suffixes.js'
import { isServerUrl } from '../../io/urls.js'
import { checkpointOf, type CommandPlan, type InputFormat } from '../plan.js'
import { UsageError } from '../usage-error.js'
import { checkExpression, checkModuleNames } from './check-expression.js'
import { isAssignment } from './syntax-cure.js'
import { listed, type Given } from './option.js'
import { OPTIONS, optionNamed, shownName, shownOption } from './table.js'

/** Suffixes of files that are not text: a name that has one would mislead. */
const SPREADSHEETS = new Set(['.xlsx', '.xls', '.ods'])
const BINARY = new Set([...SPREADSHEETS, '.arrow', '.feather', '.avro', '.orc', '.sqlite', '.db'])

/** @throws UsageError */
export function checkPlan(plan: CommandPlan, given: Given): void {
  checkFiles(plan, given)
  checkTogether(given)
  checkFormats(plan, given)
  checkOutput(plan, given)
  checkResume(plan, given)
  checkStages(plan, given)
  checkExpressions(plan, given)
}

function checkFiles({ input: { files, format, replay } }: CommandPlan, given: Given): void {
  const url = files.find((file) => /^[a-z][a-z\d+.-]+:\/\//i.test(file) && !isServerUrl(file))
  if (url !== undefined) {
    throw new UsageError(
      `'${url}' is no path and no http: or https: URL: pipe it in, as in curl -s URL | millrace -i csv`,
    )
  }
  const wrong = files.find((file) => isServerUrl(file) && !URL.canParse(file))
  if (wrong !== undefined) throw new UsageError(`'${wrong}' is not a URL that can be read: check how it is written`)
  const sheet = format === undefined ? files.find((file) => SPREADSHEETS.has(suffixOf(file))) : undefined
  if (sheet !== undefined) throw new UsageError(`'${sheet}' is a spreadsheet, and not text: save it as CSV`)
  if (files.includes('')) throw new UsageError('the name of a file is empty: check the variable that gives it')
  if (files.indexOf('-') !== files.lastIndexOf('-')) throw new UsageError("'-' is given twice: stdin can be read once")
  const [file] = files
  if (replay === undefined || file === undefined) return
  throw new UsageError(`${as('replay', given)} and '${file}' are two inputs: give one of them`)
}

/** What the table says of each option. */
function checkTogether(given: Given): void {
  for (const { name, needs = [], excludes = [] } of OPTIONS) {
    if (!given.has(name)) continue
    const other = excludes.find((one) => given.has(one))
    if (other !== undefined) {
      throw new UsageError(`${as(name, given)} and ${as(other, given)} exclude each other: leave one out`)
    }
    if (needs.length === 0 || needs.some((one) => given.has(one))) continue
    const missing = needs.map((one) => shownOption(optionNamed(one))).join(' or ')
    throw new UsageError(`${as(name, given)} needs ${missing}: add ${needs.length > 1 ? 'one of them' : 'it'}`)
  }
  if (!given.has('quiet') || !given.has('progress')) return
  throw new UsageError(`${as('quiet', given)} and ${as('progress', given)} exclude each other: leave one out`)
}

function checkFormats({ input, resume }: CommandPlan, given: Given): void {
  const formats = formatsOf(input)
  if (formats?.has('parquet') === true) {
    checkParquetInput(input)
    if (resume.isOn) throw new UsageError(`${as('resume', given)} cannot go on within Parquet files: leave it out`)
  }
  for (const { name, formats: known } of OPTIONS) {
    if (known === undefined || formats === undefined || !given.has(name)) continue
    if (known.some((format) => formats.has(format))) continue
    const read = [...formats].join(' and ')
    throw new UsageError(`${as(name, given)} is for ${listed(known)}, not for ${read}: add -i ${known[0] ?? ''}`)
  }
}

/** It is read at many places of a file. */
function checkParquetInput({ files, format }: CommandPlan['input']): void {
  const isParquet = (file: string): boolean => format === 'parquet' || inputFormatOfName(file) === 'parquet'
  const url = files.find((file) => isServerUrl(file) && isParquet(file))
  if (url !== undefined) throw new UsageError(`Parquet is read from files, and '${url}' is not one: download it first`)
  if (format !== 'parquet' || (files.length > 0 && !files.includes('-'))) return
  throw new UsageError('Parquet is read from files, not from the standard input: write it to a file first')
}

/** The formats of the input. Undefined: files that are not known yet decide. */
function formatsOf({ format, files, replay }: CommandPlan['input']): ReadonlySet<InputFormat> | undefined {
  if (format !== undefined) return new Set([format])
  if (replay !== undefined || files.some((file) => /[*?\]})]/.test(suffixOf(file) || file.slice(-1)))) return undefined
  return files.length === 0 ? new Set(['lines']) : new Set(files.map((file) => inputFormatOfName(file) ?? 'lines'))
}

function checkOutput(plan: CommandPlan, given: Given): void {
  const { target, compress, partition, rotate } = plan.output
  checkParquet(plan, given)
  if (target === undefined) {
    // `-o -` was given.
    if (partition !== undefined) throw new UsageError(`${as('partition', given)} needs a folder, not stdout: -o FOLDER`)
    if (rotate !== undefined) throw new UsageError(`${as('rotate', given)} needs files, not stdout: -o out-{n}.csv`)
    return
  }
  const o = as('output', given)
  for (const name of ['rejects', 'report'] as const) {
    const path = name === 'rejects' ? plan.faults.rejects : plan.tell.report
    if (path === target) throw new UsageError(`${o} and ${as(name, given)} name the same file: choose another name`)
  }
  const suffix = writtenCompressionOf(target)
  if (compress !== undefined && suffix !== undefined && suffix !== compress) {
    throw new UsageError(`${o} ${target} is compressed with ${suffix}: leave out ${as(compress, given)}`)
  }
  const other = unwrittenSuffixOf(target)
  if (other !== undefined) {
    throw new UsageError(`${o} cannot be compressed as ${other}: name it .gz or .zst`)
  }
  checkZstd(compress, suffix, given)
  const binary = suffixOf(target)
  if (plan.output.format === undefined && BINARY.has(binary)) {
    throw new UsageError(
      `${o} cannot be ${binary}: name it .csv, .tsv, .ndjson, .json or .parquet, or say what it is by -t`,
    )
  }
  if (rotate !== undefined && !target.includes('{n}')) {
    throw new UsageError(`${as('rotate', given)} needs {n} in the name of the file: -o out-{n}.csv`)
  }
  const [placeholder] = /\{[a-z]+\}/.exec(rotate === undefined ? target : target.replaceAll('{n}', '')) ?? []
  if (placeholder === undefined) return
  if (placeholder === '{n}')
    throw new UsageError(`${o} has {n}, which is for ${shownOption(optionNamed('rotate'))}: add it`)
  if (!/^\{(?:name|dir|index)\}$/.test(placeholder)) {
    throw new UsageError(`${o} has ${placeholder}: the placeholders are {name}, {dir} and {index}`)
  }
  const clash = ['reduce', 'partition', 'rotate'].find((one) => given.has(one))
  if (clash !== undefined) {
    throw new UsageError(
      `${o} with ${placeholder} is a file per input, which excludes ${as(clash, given)}: leave one out`,
    )
  }
  const { files, replay } = plan.input
  if (files.length > 0 ? !files.includes('-') : replay !== undefined) return
  throw new UsageError(`${o} with ${placeholder} needs files: the standard input has no name`)
}

/** What does not go together with Parquet. */
function checkParquet({ output: { target, format, compress }, resume }: CommandPlan, given: Given): void {
  if ((format ?? writtenFormatOf(target ?? '')) !== 'parquet') return
  const suffix = writtenCompressionOf(target ?? '')
  if (compress !== undefined || suffix !== undefined) {
    const cure = compress === undefined ? 'name it .parquet' : `leave out ${as(compress, given)}`
    throw new UsageError(`Parquet is compressed inside the file: ${cure}`)
  }
  if (!resume.isOn) return
  throw new UsageError(
    `${as('resume', given)} cannot go on in a Parquet file, which is only whole with its end: write .ndjson, or leave it out`,
  )
}

/** What can only begin at its start. */
function checkResume(plan: CommandPlan, given: Given): void {
  if (!plan.resume.isOn) return
  const { input, output, reduce, faults, tell } = plan
  const resume = as('resume', given)
  const checkpoint = checkpointOf(plan)
  if (checkpoint === undefined || (output.target === undefined && reduce === undefined)) {
    const cure = reduce === undefined ? 'add -o FILE' : 'add -o FILE, or --checkpoint FILE'
    throw new UsageError(`${resume} needs a file, as nothing can be taken back from the standard output: ${cure}`)
  }
  if (input.replay === undefined && (input.files.length === 0 || input.files.includes('-'))) {
    throw new UsageError(`${resume} needs files, as the standard input can be read once: write it to a file first`)
  }
  const url = input.files.find(isServerUrl)
  if (url !== undefined) throw new UsageError(`${resume} needs files, and '${url}' is not one: download it first`)
  for (const [name, path] of [
    ['output', output.target],
    ['rejects', faults.rejects],
    ['report', tell.report],
  ] as const) {
    if (path !== checkpoint) continue
    throw new UsageError(`${as('checkpoint', given)} and ${as(name, given)} name the same file: choose another name`)
  }
}

function checkZstd(compress: string | undefined, suffix: string | undefined, given: Given): void {
  if ((compress ?? suffix) !== 'zstd' || 'createZstdCompress' in process.getBuiltinModule('node:zlib')) return
  const cure = compress === undefined ? 'name it .gz' : 'use --gzip'
  const what = compress === undefined ? `${as('output', given)} .zst` : as('zstd', given)
  throw new UsageError(`${what} needs Node 22.15 or later, and this is ${process.version}: ${cure}`)
}

function checkStages(plan: CommandPlan, given: Given): void {
  const hasStage = plan.stages.length > 0 || plan.reduce !== undefined
  if (hasStage) return
  for (const name of ['timeout', 'retries', 'unordered', 'window']) {
    if (given.has(name)) throw new UsageError(`${as(name, given)} needs a stage: add one, such as -e EXPR`)
  }
  const formats = formatsOf(plan.input)
  if (formats?.size !== 1 || !formats.has('lines')) return
  for (const name of ['rejects', 'skip-errors']) {
    if (!given.has(name)) continue
    throw new UsageError(`${as(name, given)} has nothing to reject: add a stage, such as -e EXPR, or -i FORMAT`)
  }
}

function checkExpressions({ stages, modules, output }: CommandPlan, given: Given): void {
  const names = modules.map(({ name }) => name)
  checkModuleNames(names, as('module', given))
  let areThere = false
  for (const { kind, work } of stages) {
    if (!('expression' in work)) continue
    areThere = true
    checkExpression(work.expression, work.option, names)
    if (kind === 'filter' && isAssignment(work.expression)) {
      throw new UsageError(
        `${work.option} compares nothing, as '=' assigns: write '===', or put the assignment in brackets`,
      )
    }
  }
  const { partition } = output
  if (partition !== undefined && 'expression' in partition) {
    checkExpression(partition.expression, as('partition', given), names)
  }
  if (areThere || modules.length === 0) return
  throw new UsageError(`${as('module', given)} is for expressions: add one, such as -e EXPR`)
}

/** As it was typed. */
function as(name: string, given: Given): string {
  return given.get(name) ?? shownName(optionNamed(name))
}
