/** Access logs to a CSV file of the requests that failed: `errors.js OUTPUT LOG…`, plain or gzip. */
import { flatMap, lines, pipe, write } from 'millrace'
import { failedRequest } from './tasks.js'

const [output = 'errors.csv', ...logs] = process.argv.slice(2)

const { read, written, skipped } = await pipe(
  lines(logs),
  flatMap(failedRequest, { errors: 'skip' }),
  write(output, { progress: true }),
)

console.log(`${output}: ${written} of ${read} requests failed, ${skipped} lines are not of an access log`)
