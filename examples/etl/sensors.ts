/**
 * A folder of NDJSON files, one for each site, to a tree of CSV files, one for each day: `sensors.js TREE FOLDER`. Then it
 * reads the tree, and writes a summary of all sensors beside it.
 */
import { csv, files, imap, ndjson, pipe, reduce, write } from 'millrace'
import { addReading, mergeTotals, reading, type Measurement, type Totals } from './tasks.js'

const [tree = 'readings', folder = 'sensors'] = process.argv.slice(2)

const {
  written,
  skipped,
  files: days,
} = await pipe(
  ndjson<Measurement>(files(`${folder}/*.ndjson`)),
  imap(reading, { errors: 'skip' }),
  write(tree, { partition: 'day', progress: true }),
)

const initial: Totals = {}
const totals = await pipe(
  csv(files(`${tree}/day=*/part.csv`), { columns: ['site', 'sensor', 'celsius'], types: { celsius: Number } }),
  reduce(addReading, { initial, merge: mergeTotals }),
)

const rows = Object.entries(totals).map(([name, { count, sum, lowest, highest }]) => {
  const [site, sensor] = name.split('/')
  return { site, sensor, count, mean: (sum / count).toFixed(2), lowest, highest }
})
await write(`${tree}.csv`)(rows)

console.log(
  `${tree}: ${written} readings of ${days.length} days, ${skipped} left out; ${tree}.csv: ${rows.length} sensors`,
)
