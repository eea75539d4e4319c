/** Runs on files that people have. Tests run each of them. */
import type { Example } from './section.js'

/** The first ones also stand in `-h`. */
export const EXAMPLES: readonly Example[] = [
  {
    says: 'The lines of a log, packed files too, in which the server failed',
    command: `millrace -w 'd.includes(" 500 ")' access.log*`,
  },
  {
    says: 'NDJSON from a pipe: select, pick, compute',
    command: `zcat events.ndjson.gz | millrace -i ndjson \\
  -w 'd.type === "buy"' -e '{ id: d.id, sum: d.n * d.price }'`,
  },
  {
    says: 'CSV to NDJSON: three of its columns',
    command: 'millrace customers.csv --columns id,name,country -o customers.ndjson',
  },
  {
    says: 'Rows of CSV by a condition, as CSV',
    command: `millrace -w 'd.country === "DE"' customers.csv -t csv`,
  },
  {
    says: 'The addresses with the most requests',
    command: `millrace -e 'd.split(" ")[0]' access.log | sort | uniq -c | sort -rn | head`,
  },
  {
    says: 'The elements of an array in a JSON document',
    command: `millrace -i json:items -e 'd.name' export.json`,
  },
  {
    says: 'The words of a text, one on each line',
    command: `millrace -E 'd.toLowerCase().match(/[a-z]+/g) ?? []' notes.txt`,
  },
  {
    says: 'A file for each input, compressed',
    command: `millrace 'logs/*.ndjson' -o 'out/{name}.csv.gz'`,
  },
  {
    says: 'File names from `find`, with a module of Node',
    command: `find . -type f -print0 | millrace -0 -M path=node:path -e 'path.extname(d)'`,
  },
  {
    says: 'Records that are damaged go to another file',
    command: `millrace -e 'JSON.parse(d.body)' mails.csv -o ok.ndjson --rejects bad.ndjson`,
  },
]
