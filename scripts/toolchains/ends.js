// @ts-check
/** Programs about the workers of a runtime, besides their items: their output, their limits, their options. */

/** @typedef {import('./programs.js').Files} Files */

/**
 * In `main.mjs`, workers print much, and stay until the end of the program. `late.mjs` has an error in a worker that
 * does not belong to an item. `exit.mjs` ends while a worker is in a loop. `limits.mjs`, after `preload.mjs`, prints
 * how `resourceLimits`, `execArgv` and modules that are loaded before work. It also prints the exit code of a worker
 * that a rejected promise has ended.
 *
 * @returns {Files}
 */
export function ends() {
  return {
    'package.json': '{ "private": true }',
    'tasks.mjs': `import { tasks } from 'millrace/task'

export const { print, late, loop, fill, reject, same, imported, preloaded } = tasks(import.meta.url, {
  print: (n) => {
    process.once('exit', () => console.log('an exit handler has run'))
    for (let i = 0; i < 1000; i++) process.stdout.write('line ' + n + ' ' + i + ' ' + '.'.repeat(500) + ' end\\n')
    return n
  },
  late: (n) => {
    if (n === 1) setTimeout(() => { throw new TypeError('of no item') }, 1)
    return n
  },
  loop: (n) => { if (n === 1) for (;;); return n },
  fill: (n) => {
    const kept = []
    while (n === 1 && kept.length < 150) kept.push(new Array(131_072).fill(kept.length + 0.5))
    return n
  },
  reject: async (n) => {
    if (n === 1) {
      void Promise.reject(new TypeError('of no promise that is awaited'))
      await new Promise((done) => { setTimeout(done, 5000) })
    }
    return n
  },
  same: (n) => n,
  imported: () => globalThis.isImported ?? false,
  preloaded: () => globalThis.isPreloaded ?? false,
})
`,
    'main.mjs': `import { imap } from 'millrace'
import { print } from './tasks.mjs'

for await (const _ of imap(print, [0, 1, 2], { chunksize: 1 }));
`,
    'late.mjs': `import { Pool } from 'millrace'
import { late, same } from './tasks.mjs'

const pool = new Pool({ workers: 1, name: 'mine' })
console.log('all items:', (await pool.map(late, [0, 1, 2])).join())
while (pool.stats().crashes === 0) await new Promise((done) => { setImmediate(done) })
console.log('goes on:', await pool.apply(same, ['yes']))
await pool.close()
`,
    'exit.mjs': `import { imap } from 'millrace'
import { loop } from './tasks.mjs'

for await (const _ of imap(loop, [0, 1], { chunksize: 1 })) process.exit(7)
`,
    'preload.mjs': 'globalThis.isPreloaded = true\n',
    'limits.mjs': `import { Pool } from 'millrace'
import { fill, imported, preloaded, reject } from './tasks.mjs'

async function all(options, task, streamOptions) {
  const pool = new Pool({ workers: 1, ...options })
  try {
    const results = await pool.imap(task, [0, 1, 2], { errors: 'settle', ...streamOptions }).toArray()
    return results.map(({ value, reason }) => (reason ? reason.code + ' ' + (reason.exitCode ?? '') : value)).join()
  } catch (error) {
    return error.message
  } finally {
    await pool.close().catch(() => {})
  }
}

console.log('resourceLimits:', await all({ resourceLimits: { maxOldGenerationSizeMb: 64 } }, fill, { timeout: 5000 }))
console.log('rejected:', await all({}, reject))
console.log('preloaded:', await all({}, preloaded))
console.log('execArgv:', await all({ execArgv: ['--import', 'data:text/javascript,globalThis.isImported=true'] }, imported))
`,
  }
}
