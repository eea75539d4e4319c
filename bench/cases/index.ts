/** The names of the cases, in the order in which they run. */
export const CASES = [
  'access-log',
  'access-log-reduce',
  'lines',
  'gzip',
  'gzip-output',
  'csv',
  'csv-quoted',
  'cpu',
  'sqrt',
  'arrays',
  'no-op',
  'import',
  'cold',
  'busy',
  'memory',
  'memory-sizes',
] as const
