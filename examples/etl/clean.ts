/**
 * A CSV file of customers to clean records: `clean.js OUTPUT INPUT`. Rows that cannot be used go to a file of rejects, with
 * the reason of each. Too many of them end the program, and then there is no output.
 */
import { csv, imap, pipe, rejects, write } from 'millrace'
import { cleanCustomer, money } from './tasks.js'

const [output = 'customers.ndjson.gz', input = 'customers.csv'] = process.argv.slice(2)
const bad = `${output}.rejects.ndjson`

const customers = csv(input, {
  columns: ['id', 'name', 'email', 'born', 'balance'],
  types: { born: Date, balance: money },
})

const { read, written, rejected } = await pipe(
  customers,
  imap(cleanCustomer, { errors: rejects(bad), maxErrors: '5%' }),
  write(output, { progress: true }),
)

console.log(`${output}: ${written} of ${read} customers; ${bad}: ${rejected}`)
