/** Writes a report in the form that the suffix of its path names. A reader sees the whole file, or none. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, extname } from 'node:path'
import { pageOf } from './page.js'
import type { RunReport } from './run-report.js'
import { svgOf } from './svg.js'

const FORMS: Readonly<Record<string, (report: RunReport) => string>> = {
  '.html': pageOf,
  '.svg': svgOf,
  '.json': (report) => `${JSON.stringify(report, undefined, 1)}\n`,
}

/** Missing folders are created. A file that is there is replaced. */
export async function writeReport(path: string, report: RunReport): Promise<void> {
  const text = (FORMS[extname(path).toLowerCase()] ?? pageOf)(report)
  await mkdir(dirname(path), { recursive: true })
  const part = `${path}.part`
  try {
    await writeFile(part, text)
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}
