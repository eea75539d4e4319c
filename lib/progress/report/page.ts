/**
 * A report as a page: one file without links, for any browser. The figures and tables are in the page itself, and a
 * script draws the charts. A content security policy lets nothing be loaded, and no other script run.
 */
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { bytes, duration, integer, percent } from '../text.js'
import { UPLOT_LICENCE, UPLOT_SCRIPT, UPLOT_STYLE } from './uplot.js'
import { chartsOf } from './charts.js'
import { escaped, jsonForScript } from './escape.js'
import { time } from './number.js'
import { PAGE_SCRIPT } from './page-script.js'
import { PAGE_STYLE } from './page-style.js'
import type { Bucket, Place, RunReport } from './run-report.js'
import { endOf, figuresOf, titleOf, verdictOf } from './verdict.js'

const MAX_REASONS = 50

export function pageOf(report: RunReport): string {
  const charts = chartsOf(report)
  const title = titleOf(report)
  const end = endOf(report)
  const verdict = verdictOf(report)
  const { run } = report
  const scripts = [UPLOT_SCRIPT, PAGE_SCRIPT]
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src ${scripts.map(hashOf).join(' ')}; base-uri 'none'; form-action 'none'`
  const data = { charts, times: report.samples.time, started: Date.parse(run.started) / 1000 }
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width">
<title>${escaped(`Run of ${title}`)}</title>
<!--
The charts are drawn by uPlot, which is in this file.

${UPLOT_LICENCE.replaceAll('--', '- -')}
-->
<style>${UPLOT_STYLE}</style>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
<p><span class="state ${end.mood}">${escaped(end.text)}</span> <span class="faint">· started ${escaped(when(run.started))} · ${escaped(duration(run.duration))} on ${escaped(report.machine.cpu || report.machine.platform)}</span></p>
${run.error === undefined ? '' : `<p class="bad">${escaped(`${run.error.name}${run.error.code === undefined ? '' : ` (${run.error.code})`}: ${run.error.message}`)}</p>\n`}<section class="figures">
${figuresOf(report)
  .map(
    ({ label, value, note = '', isAlarm = false }) =>
      `<div class="card figure"><span class="faint">${escaped(label)}</span><b${isAlarm ? ' class="bad"' : ''}>${escaped(value)}</b><span class="faint">${escaped(note)}</span></div>`,
  )
  .join('\n')}
</section>
${verdict === undefined ? '' : `<p>${escaped(verdict)}</p>\n`}<section class="charts">
${charts.map((chart, i) => `<div class="card"><h2>${escaped(chart.title)}</h2><div id="chart${i}"></div></div>`).join('\n')}
${latency(report)}
</section>
<noscript><p class="faint">The charts need JavaScript.</p></noscript>
${[errors(report), slowest(report), stages(report), inputs(report), outputs(report), machine(report)].filter((part) => part !== '').join('\n')}
</main>
<script type="application/json" id="data">${jsonForScript(data)}</script>
${scripts.map((script) => `<script>${script}</script>`).join('\n')}
</body>
</html>
`
}

/** For the policy: only a script with exactly this text may run. */
function hashOf(script: string): string {
  return `'sha256-${createHash('sha256').update(script).digest('base64')}'`
}

function when(started: string): string {
  return started.replace('T', ' ').replace(/[.]\d+Z$/, ' UTC')
}

function latency({ latency: { buckets, median, p90, p99 } }: RunReport): string {
  if (buckets.length === 0) return ''
  const bounds = [buckets[0], buckets[Math.floor(buckets.length / 2)], buckets.at(-1)]
  const scale = bounds
    .map((bucket) => `<span>${escaped(bucket === undefined ? '' : time(bucket.below))}</span>`)
    .join('')
  return `<div class="card"><h2>Items by their time</h2>
<p class="faint">half took at most ${escaped(time(median))} · 90 % ${escaped(time(p90))} · 99 % ${escaped(time(p99))}</p>
${histogram(buckets)}
<div class="scale">${scale}</div></div>`
}

/** The height of a bar is the share of the fullest bucket. A bucket that is not empty shows. */
function histogram(buckets: readonly Bucket[]): string {
  const most = Math.max(...buckets.map(({ items }) => items))
  const bars = buckets.map(({ items, below }, i) => {
    const height = items === 0 ? 0 : Math.max(1, (100 * items) / most)
    const hint = `${integer(items)} up to ${time(below)}`
    return `<rect x="${i + 0.05}" y="${(100 - height).toFixed(2)}" width="0.9" height="${height.toFixed(2)}"><title>${escaped(hint)}</title></rect>`
  })
  return `<svg class="histogram" viewBox="0 0 ${buckets.length} 100" preserveAspectRatio="none">${bars.join('')}</svg>`
}

/** A cell: its text, and its style. */
type Cell = readonly [text: string, style?: 'n' | 'short']

function table(title: string, head: readonly Cell[], rows: readonly (readonly Cell[])[], more = 0): string {
  const row = (cells: readonly Cell[], tag: 'td' | 'th'): string => {
    const texts = cells.map(
      ([text, style]) => `<${tag}${style === undefined ? '' : ` class="${style}"`}>${escaped(text)}</${tag}>`,
    )
    return `<tr>${texts.join('')}</tr>`
  }
  return `<section class="card wide"><h2>${escaped(title)}</h2>
<table><thead>${row(head, 'th')}</thead><tbody>
${rows.map((cells) => row(cells, 'td')).join('\n')}
</tbody></table>${more > 0 ? `<p class="faint">and ${integer(more)} more</p>` : ''}</section>`
}

function errors({ errors: all }: RunReport): string {
  if (all.length === 0) return ''
  const rows = all
    .slice(0, MAX_REASONS)
    .map(({ count, task, name, code, message, first }): Cell[] => [
      [integer(count), 'n'],
      [code === undefined ? name : `${name} (${code})`, 'short'],
      [message],
      [placeText(first)],
      [task, 'short'],
    ])
  const head: Cell[] = [['items', 'n'], ['error'], ['message of the first one'], ['first one'], ['task']]
  return table('Errors by reason', head, rows, all.length - rows.length)
}

function slowest({ slowest: all }: RunReport): string {
  if (all.length === 0) return ''
  const rows = all.map((item): Cell[] => [
    [time(item.time), 'n'],
    [
      item.count === 1
        ? placeText(item)
        : `${placeText(item)}, and the ${integer(item.count - 1)} after it, on average`,
    ],
    [item.task],
    [integer(item.worker), 'n'],
  ])
  return table('Slowest items', [['time', 'n'], ['item'], ['task'], ['worker', 'n']], rows)
}

function placeText({ index, file, record, line }: Place): string {
  const item = `item ${integer(index)}`
  if (file === undefined && record === undefined) return item
  const number = record === undefined ? '' : `record ${integer(record)}`
  const inLine = line === undefined ? '' : `line ${integer(line)}`
  return [file === undefined ? '' : basename(file), number, inLine, `(${item})`].filter((text) => text !== '').join(' ')
}

function stages({ stages: all }: RunReport): string {
  if (all.length === 0) return ''
  const rows = all.map(({ task, workers, read, delivered, failed, busy, shares }): Cell[] => [
    [task === '' ? 'a function' : task],
    [integer(workers), 'n'],
    [integer(read), 'n'],
    [integer(delivered), 'n'],
    [integer(failed), 'n'],
    [percent(busy), 'n'],
    [percent(shares.source), 'n'],
    [percent(shares.consumer), 'n'],
  ])
  const head: Cell[] = [
    ['task'],
    ['workers', 'n'],
    ['items read', 'n'],
    ['results', 'n'],
    ['failed', 'n'],
    ['workers busy', 'n'],
    ['source busy', 'n'],
    ['consumer busy', 'n'],
  ]
  return table('Stages', head, rows)
}

function inputs({ inputs: all, inputCount }: RunReport): string {
  if (all.length === 0) return ''
  const rows = all.map(({ path, bytes: read, size }): Cell[] => [
    [path ?? 'a stream or bytes in memory'],
    [bytes(read), 'n'],
    [size === undefined ? '' : bytes(size), 'n'],
  ])
  return table('Inputs', [['path'], ['read', 'n'], ['size', 'n']], rows, inputCount - all.length)
}

function outputs({ outputs: all, outputCount }: RunReport): string {
  if (all.length === 0) return ''
  const rows = all.map(({ path, records, bytes: size }): Cell[] => [
    [path],
    [integer(records), 'n'],
    [bytes(size), 'n'],
  ])
  return table('Outputs', [['path'], ['records', 'n'], ['size', 'n']], rows, outputCount - all.length)
}

function machine({ machine: { millrace, node, platform, cpu, cores, memory }, run }: RunReport): string {
  const entries = [
    ['Command', run.command.map(quoted).join(' ')],
    ['Folder', run.folder],
    ['Versions', `millrace ${millrace}, Node ${node}`],
    ['Machine', `${cpu === '' ? '' : `${cpu}, `}${cores} cores, ${bytes(memory)} of memory, ${platform}`],
  ] as const
  const list = entries.map(([name, value]) => `<dt>${escaped(name)}</dt><dd><code>${escaped(value)}</code></dd>`)
  return `<section class="card wide"><h2>Command and machine</h2><dl>${list.join('')}</dl></section>`
}

/** As a shell would take it. */
function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", String.raw`'\''`)}'`
}
