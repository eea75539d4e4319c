// @ts-check
/**
 * The floors of lib/, from the top: who may import whom. A file imports from floors below it, or from its own folder.
 * Imports of types count as much as imports of values.
 */

/** The files of each floor, as the start of a path. `verbs` is every file of lib/ that has no floor of its own. */
const floors = {
  index: '^lib/index[.]ts$',
  multiprocessing: '^lib/multiprocessing/',
  verbs:
    '^lib/(?!(index|pool|task|task-name|options|errors|call-site|failure|identity|async-context|aborts|fifo|reuse|inspect|threads-package|bundled|worker-file|load-multiprocessing)[.])[^/]+$',
  pool: '^lib/pool[.]ts$',
  verb: '^lib/verb/',
  stream: '^lib/stream/',
  executors: '^lib/executor/(?!executor[.]ts$)',
  executor: '^lib/executor/executor[.]ts$',
  worker: '^lib/worker/',
  threads: '^lib/threads-package[.]ts$',
  codec: '^lib/codec/',
  shared: '^lib/shared/',
  io: '^lib/io/',
  task: '^lib/task(-name)?[.]ts$',
  log: '^lib/log/',
  options: '^lib/options[.]ts$',
  identity: '^lib/identity[.]ts$',
  context: '^lib/async-context[.]ts$',
  aborts: '^lib/aborts[.]ts$',
  fifo: '^lib/fifo[.]ts$',
  reuse: '^lib/reuse[.]ts$',
  inspect: '^lib/inspect[.]ts$',
  errors: '^lib/(errors|call-site)[.]ts$',
  failure: '^lib/failure[.]ts$',
  files: '^lib/(bundled|worker-file|load-multiprocessing)[.]ts$',
}

/**
 * What each floor may import beside its own files.
 * @type {Partial<Record<keyof typeof floors, (keyof typeof floors)[]>>}
 */
const below = {
  multiprocessing: [
    'pool',
    'executors',
    'worker',
    'threads',
    'codec',
    'shared',
    'task',
    'log',
    'identity',
    'aborts',
    'inspect',
    'options',
    'errors',
  ],
  verbs: [
    'pool',
    'verb',
    'stream',
    'executors',
    'executor',
    'worker',
    'codec',
    'shared',
    'io',
    'task',
    'log',
    'identity',
    'inspect',
    'options',
    'errors',
  ],
  pool: [
    'verb',
    'stream',
    'executors',
    'executor',
    'worker',
    'codec',
    'shared',
    'io',
    'task',
    'log',
    'identity',
    'inspect',
    'options',
    'errors',
  ],
  verb: [
    'stream',
    'executors',
    'executor',
    'worker',
    'codec',
    'shared',
    'io',
    'task',
    'log',
    'identity',
    'options',
    'errors',
    'failure',
  ],
  stream: [
    'aborts',
    'fifo',
    'reuse',
    'context',
    'executor',
    'io',
    'codec',
    'log',
    'inspect',
    'options',
    'errors',
    'failure',
  ],
  executors: [
    'fifo',
    'context',
    'executor',
    'worker',
    'threads',
    'codec',
    'shared',
    'io',
    'task',
    'log',
    'identity',
    'options',
    'errors',
    'files',
  ],
  executor: ['context', 'worker', 'codec', 'shared', 'io', 'task', 'log', 'identity', 'options', 'errors'],
  // Of multiprocessing, only what the rules below let it load.
  worker: [
    'threads',
    'reuse',
    'codec',
    'shared',
    'io',
    'task',
    'log',
    'identity',
    'options',
    'errors',
    'multiprocessing',
  ],
  io: ['codec', 'inspect', 'options', 'errors'],
  task: ['options', 'errors'],
  codec: ['shared', 'errors', 'files'],
  shared: [],
  threads: [],
  log: ['identity', 'options', 'errors'],
  options: ['errors'],
  identity: [],
  errors: [],
  failure: [],
  reuse: [],
  files: [],
}

const layers = Object.entries(below).map(([floor, others]) => {
  const own = floors[/** @type {keyof typeof below} */ (floor)]
  return {
    name: `layer-${floor}`,
    comment: `In lib/, "${floor}" imports nothing but its own files and: ${others.join(', ') || 'nothing'}. Move what it needs to a floor below, or pass it in.`,
    severity: 'error',
    from: { path: own },
    to: { path: '^(lib|dist)/', pathNot: [own, ...others.map((other) => floors[other])] },
  }
})

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    .../** @type {import('dependency-cruiser').IForbiddenRuleType[]} */ (layers),
    {
      name: 'known-folders',
      comment: 'A new folder of lib/ needs its floor: add it to .dependency-cruiser.cjs.',
      severity: 'error',
      from: {},
      to: {
        path: '^lib/[^/]+/',
        pathNot: '^lib/(verb|stream|executor|worker|codec|shared|io|log|multiprocessing)/',
      },
    },
    {
      name: 'multiprocessing-apart',
      comment: 'Nothing outside lib/multiprocessing/ imports from it, except the worker, when a shared object arrives.',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/(multiprocessing/|worker/sharing[.]ts$)' },
      to: { path: '^lib/multiprocessing/' },
    },
    {
      name: 'multiprocessing-late',
      comment: 'The worker loads lib/multiprocessing/ by import(), so that a worker without shared objects never does.',
      severity: 'error',
      from: { path: '^lib/worker/' },
      to: { path: '^lib/multiprocessing/', dynamic: false },
    },
    {
      name: 'multiprocessing-inside',
      comment: 'Locks and queues know no shared numbers, and neither knows processes, the log or the public names.',
      severity: 'error',
      from: { path: '^lib/multiprocessing/(sync|shared)/' },
      to: { path: '^lib/multiprocessing/(process/|log/|index|kinds)' },
    },
    {
      name: 'multiprocessing-sync',
      comment: 'See multiprocessing-inside.',
      severity: 'error',
      from: { path: '^lib/multiprocessing/sync/' },
      to: { path: '^lib/multiprocessing/shared/' },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that import each other are one idea, or a third file is missing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'few-packages',
      comment:
        'The library imports Node, it-pipe, p-limit and threads (and the types of it-stream-types), nothing else.',
      severity: 'error',
      from: { path: '^lib/' },
      to: {
        pathNot: ['^lib/', '(^|/)node_modules/(it-pipe|it-stream-types|p-limit|threads)/'],
        dependencyTypesNot: ['core'],
      },
    },
    {
      name: 'it-stream-types-are-types',
      comment: 'it-stream-types has no code to import: write `import type`.',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '(^|/)node_modules/it-stream-types/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'it-pipe-in-pipe',
      comment: 'Only pipe.ts calls it-pipe; the library composes by plain calls. (`import type` is free.)',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/pipe[.]ts$' },
      to: { path: '(^|/)node_modules/it-pipe/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'threads-behind-one-file',
      comment: 'Only lib/threads-package.ts knows the threads package, its types included.',
      severity: 'error',
      from: { path: '^lib/', pathNot: floors.threads },
      to: { path: '(^|/)node_modules/threads/|^threads(/|$)' },
    },
    {
      name: 'worker-threads-where-threads-are',
      comment:
        'Only lib/executor/, lib/worker/, lib/shared/, lib/multiprocessing/ and lib/log/ know node:worker_threads (and threads-package.ts, identity.ts; and index.ts and task-module.ts, for isMainThread).',
      severity: 'error',
      from: {
        path: '^lib/',
        pathNot: [
          '^lib/(executor|worker|codec|shared|multiprocessing|log)/',
          floors.threads,
          floors.identity,
          floors.index,
          '^lib/task-module[.]ts$',
        ],
      },
      to: { path: '^(node:)?worker_threads$' },
    },
    {
      name: 'worker-threads-types-in-codec',
      comment:
        'lib/codec/ says what is transferred, with the types of node:worker_threads, and transfers nothing itself.',
      severity: 'error',
      // What tests choose of it stands in the environment data of threads.
      from: { path: '^lib/codec/', pathNot: '^lib/codec/limits[.]ts$' },
      to: { path: '^(node:)?worker_threads$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'resolvable',
      comment: 'An import that leads nowhere escapes every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    // Packages with an `exports` map and no CommonJS entry (it-pipe) are found only so.
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'types', 'default'] },
  },
}
