/**
 * A module of tasks that is evaluated again in the same process, by hot reload or by a test runner that resets its
 * modules.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setImmediate as turn } from 'node:timers/promises'
import { map, Pool, task, type Task } from 'millrace'

const folder = mkdtempSync(join(tmpdir(), 'millrace-redefinition-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

let files = 0

/** Writes a module of tasks, and defines its task here, as if this thread had evaluated it. */
class TaskModule {
  readonly #path = join(folder, `tasks-${++files}.mjs`)
  readonly url = pathToFileURL(this.#path).href

  /** @param text The result of the function for its item, as code. */
  write(text: string): void {
    const code = `import { task } from ${JSON.stringify(import.meta.resolve('millrace/task'))}
      export const name = task(${JSON.stringify(this.url)}, 'name', (item) => ${text})`
    writeFileSync(this.#path, code)
  }

  /** In a separate turn of the event loop. */
  async define(here: (item: number) => unknown): Promise<Task<number, unknown>> {
    await turn()
    return task(this.url, 'name', here)
  }
}

describe('a module of tasks that is evaluated again', () => {
  it('replaces its tasks: workers that have loaded it are replaced, and new ones load it anew', async () => {
    await using pool = new Pool({ workers: 2 })
    const tasks = new TaskModule()
    tasks.write("'first ' + item")
    const first = await tasks.define((item) => `here first ${item}`)
    expect(await pool.map(first, [1, 2])).toEqual(['first 1', 'first 2'])
    tasks.write("'second ' + item")
    const second = await tasks.define((item) => `here second ${item}`)
    expect(await pool.map(second, [1, 2])).toEqual(['second 1', 'second 2'])
    expect(pool.stats().crashes).toBe(0)
  })

  it('leaves handles of before of use: the newest on workers, their own function on this thread', async () => {
    await using pool = new Pool({ workers: 1 })
    const tasks = new TaskModule()
    tasks.write("'first ' + item")
    const first = await tasks.define((item) => `here first ${item}`)
    expect(await pool.map(first, [1])).toEqual(['first 1'])
    tasks.write("'second ' + item")
    const second = await tasks.define((item) => `here second ${item}`)
    expect(await pool.map(first, [1])).toEqual(['second 1'])
    expect(await map(first, [1], { workers: 0 })).toEqual(['here first 1'])
    expect(await map(second, [1], { workers: 0 })).toEqual(['here second 1'])
  })

  it('leaves a stream that runs whole: each item has one result, of the old or of the new', async () => {
    await using pool = new Pool({ workers: 2 })
    const tasks = new TaskModule()
    tasks.write('[item, 1]')
    const first = await tasks.define((item) => item)
    const results: [number, number][] = []
    for await (const result of pool.imap(
      first,
      Array.from({ length: 40 }, (_, n) => n),
      { chunksize: 2, window: 8 },
    )) {
      results.push(result as [number, number])
      if (results.length !== 10) continue
      tasks.write('[item, 2]')
      await tasks.define((item) => item)
    }
    expect(results.map(([item]) => item)).toEqual(Array.from({ length: 40 }, (_, n) => n))
    expect(results.at(0)?.[1]).toBe(1)
    expect(results.at(-1)?.[1]).toBe(2)
  })

  it('leaves workers that have loaded other modules', async () => {
    await using pool = new Pool({ workers: 1 })
    const [one, other] = [new TaskModule(), new TaskModule()]
    one.write('globalThis.seen = (globalThis.seen ?? 0) + item')
    other.write('item')
    const counting = await one.define((item) => item)
    await other.define((item) => item)
    expect(await pool.map(counting, [1])).toEqual([1])
    await other.define((item) => item)
    // The worker keeps its state: it is the same one.
    expect(await pool.map(counting, [1])).toEqual([2])
  })

  it('replaces workers whose initializer it has', async () => {
    const tasks = new TaskModule()
    tasks.write('(globalThis.state = "first", globalThis.state)')
    await tasks.define((item) => item)
    const reading = new TaskModule()
    reading.write('globalThis.state')
    const read = await reading.define((item) => item)
    await using pool = new Pool({ workers: 1, initializer: { module: tasks.url, export: 'name' }, initargs: [1] })
    expect(await pool.map(read, [1])).toEqual(['first'])
    tasks.write('(globalThis.state = "second", globalThis.state)')
    await tasks.define((item) => item)
    expect(await pool.map(read, [1])).toEqual(['second'])
  })

  it('is refused within one turn of the event loop: two tasks have one id by mistake', async () => {
    const tasks = new TaskModule()
    await tasks.define((item) => item)
    expect(() => task(tasks.url, 'name', () => undefined)).toThrow("'name' is defined twice")
    // The refused function was not defined. A later one replaces the first.
    await expect(tasks.define((item) => item)).resolves.toBeInstanceOf(Function)
  })

  it('is another module if its URL has another query', async () => {
    await using pool = new Pool({ workers: 1 })
    const tasks = new TaskModule()
    const versions: unknown[] = []
    for (const version of [1, 2]) {
      const code = `import { task } from ${JSON.stringify(import.meta.resolve('millrace/task'))}
        export const name = task(import.meta.url, 'name', () => ${version})`
      writeFileSync(new URL(tasks.url), code)
      const name = task(`${tasks.url}?t=${version}`, 'name', (): unknown => 0)
      versions.push(...(await pool.map(name, [1])))
    }
    expect(versions).toEqual([1, 2])
    expect(pool.stats().recycled).toBe(0)
  })
})
