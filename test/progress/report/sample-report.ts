/** A report with everything in it: of a night, with hostile names. */
import type { RunReport } from '#dist/progress/report/run-report.js'

/** Whatever escapes from where it stands sets `window.escaped`, or loads something. */
export const HOSTILE: string = [
  '</script><script>window.escaped = 1</script>',
  `"'><img src=http://elsewhere.test/x.png onerror="window.escaped = 2">`,
  '<!--<script>',
  ']]>--></style></svg>',
  '\u2028\u2029\u202e\x1b[2J\0',
  '&amp;数据',
].join('')

const COUNT = 500

function series(value: (share: number) => number): number[] {
  return Array.from({ length: COUNT }, (_, i) => value(i / COUNT))
}

export const NIGHT: RunReport = {
  version: 1,
  run: {
    command: ['/usr/bin/node', '/srv/etl/clean.js', 'in/*.csv.gz', HOSTILE],
    folder: `/srv/${HOSTILE}`,
    started: '2026-11-28T22:00:03.120Z',
    duration: 28_800_000,
    end: 'failed',
    error: { name: 'Error', code: 'ERR_X', message: HOSTILE },
  },
  machine: { millrace: '0.2.0', node: 'v20.20.2', platform: 'linux x64', cpu: HOSTILE, cores: 8, memory: 64e9 },
  inputs: [
    { path: `/in/${HOSTILE}.csv.gz`, bytes: 5e9, size: 5e9 },
    { path: undefined, bytes: 3e9 },
  ],
  inputCount: 240,
  outputs: [{ path: `out/${HOSTILE}.ndjson.gz`, records: 90_000_000, bytes: 2e9 }],
  outputCount: 1,
  totals: {
    bytes: 8e9,
    items: 91_000_000,
    results: 90_000_000,
    failed: 1_412,
    chunks: 400_000,
    busy: 0.93,
    limit: 'workers',
    peakMemory: 410e6,
  },
  stages: [
    {
      task: HOSTILE,
      workers: 8,
      read: 91_000_000,
      delivered: 90_000_000,
      failed: 1_412,
      busy: 0.93,
      shares: { source: 0.1, workers: 0.93, consumer: 0.2 },
    },
  ],
  samples: {
    time: series((share) => share * 28_800),
    itemsPerSecond: series((share) => 3000 + 600 * Math.sin(share * 20) - (share > 0.5 && share < 0.55 ? 2500 : 0)),
    bytesPerSecond: series((share) => 280_000 + 50_000 * Math.sin(share * 20)),
    busy: series((share) => (share > 0.5 && share < 0.55 ? 0.3 : 0.95)),
    itemTime: series((share) => 2 + Math.cos(share * 30)).map((time, i) => (i % 97 === 5 ? null : time)),
    slowestItemTime: series((share) => 20 + 500 * Math.abs(Math.sin(share * 50))),
    itemsPerChunk: series((share) => (share < 0.02 ? 1 : 220)),
    failed: series((share) => Math.floor(share * 1412)),
    memory: series((share) => 300e6 + 100e6 * Math.abs(Math.sin(share * 90))),
    heap: series((share) => 60e6 + 30e6 * Math.abs(Math.sin(share * 120))),
  },
  latency: {
    buckets: Array.from({ length: 30 }, (_, i) => ({
      below: 0.1 * 2 ** (i / 3),
      items: Math.round(1e6 * Math.exp(-((i - 12) ** 2) / 20)),
    })),
    median: 1.6,
    p90: 5.1,
    p99: 20.4,
  },
  slowest: [
    {
      task: 'clean',
      index: 123_456,
      count: 1,
      time: 5_210,
      worker: 3,
      file: `/in/${HOSTILE}`,
      record: 123_457,
      line: 130_002,
    },
    { task: HOSTILE, index: 99, count: 12, time: 812.4, worker: 1 },
  ],
  errors: [
    {
      task: 'clean',
      name: 'RangeError',
      code: 'ERR_AMOUNT',
      message: HOSTILE,
      count: 1_400,
      first: { index: 17, file: HOSTILE, record: 18, line: 19 },
    },
    { task: 'clean', name: HOSTILE, message: 'is not a date', count: 12, first: { index: 1_000 } },
  ],
}
