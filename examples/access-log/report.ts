/** The report as text. It depends on the summary and the layout alone, so that the same log gives the same report. */
import { STATUS_CODES } from 'node:http'
import { top, type Summary } from './summary.js'
import { bar, bytes, fit, fitEnds, integer, percent, printable, table } from './text.js'

/** How the report is to look. */
export interface Layout {
  /** The longest line, in characters. */
  readonly width: number
  /** How a heading is made to stand out. */
  readonly heading: (text: string) => string
}

/** How many addresses and paths are listed. */
const LISTED = 10
/** The shortest excerpt of a malformed line, however long the name of its file. */
const MIN_EXCERPT = 30
const INDENT = '  '

/** The report on `files`, ready to print. */
export function report(summary: Summary, files: readonly string[], { width, heading }: Layout): string {
  const sections: [title: string, body: string[]][] = [
    [fit(files.map(printable).join(', '), width), totals(summary)],
    ['Status', statuses(summary)],
    ['Top addresses', ranking(summary.addresses, summary.requests, width)],
    ['Top paths', ranking(summary.paths, summary.requests, width)],
    ['Requests by hour of the day', histogram(summary.hours, width)],
    ['Malformed lines', malformed(summary, files.length > 1, width)],
  ]
  return sections
    .filter(([, body]) => body.length > 0)
    .map(([title, body]) => `${heading(title)}\n${body.map((line) => `${INDENT}${line}\n`).join('')}`)
    .join('\n')
}

function totals(summary: Summary): string[] {
  const { lines, requests, malformed } = summary
  const [client, server] = [summary.answeredWith(400, 499), summary.answeredWith(500, 599)]
  return table(
    [
      ['Lines', integer(lines), ''],
      ['Requests', integer(requests), ''],
      ['Malformed', integer(malformed), ''],
      ['Bytes', integer(summary.bytes), bytes(summary.bytes)],
      ['Errors', integer(client + server), percent(client + server, requests)],
      ['  4xx', integer(client), percent(client, requests)],
      ['  5xx', integer(server), percent(server, requests)],
    ],
    '<>>',
  )
}

function statuses({ statuses: counts, requests }: Summary): string[] {
  return table(
    top(counts).map(([status, n]) => [`${status}`, STATUS_CODES[status] ?? '', integer(n), percent(n, requests)]),
    '<<>>',
  )
}

function ranking(counts: ReadonlyMap<string, number>, total: number, width: number): string[] {
  const rows = top(counts, LISTED).map(([key, n]) => [integer(n), percent(n, total), printable(key)])
  return table(rows, '>><').map((line) => fit(line, width - INDENT.length))
}

function histogram(hours: readonly number[], width: number): string[] {
  const most = Math.max(...hours)
  if (most === 0) return []
  const room = width - INDENT.length - '00  '.length - '  '.length - integer(most).length
  const rows = hours.map((n, hour) => [`${hour}`.padStart(2, '0'), integer(n), bar(n, most, room)])
  return table(rows, '<><')
}

function malformed({ malformed: all, malformedLines }: Summary, named: boolean, width: number): string[] {
  const places = table(
    malformedLines.map(({ file, line }) => [named ? `${printable(file)}:${line}` : `${line}`]),
    '>',
  )
  const shown = malformedLines.map(({ excerpt }, n) => {
    const place = `${places[n] ?? ''}  `
    return place + fitEnds(printable(excerpt), Math.max(MIN_EXCERPT, width - INDENT.length - place.length))
  })
  const more = all - malformedLines.length
  return more === 0 ? shown : [...shown, `… and ${integer(more)} more`]
}
