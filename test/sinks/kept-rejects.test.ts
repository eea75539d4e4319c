/** The file of rejects() in a run that goes on where an earlier one was: the same bytes, published by the sink. */
import { appendFileSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { targetOf, type FailureTarget, type Rejected } from '#dist/stream/failure-target.js'
import { InputFiles } from '#dist/disk/input-files.js'
import { publishFiles } from '#dist/disk/publication.js'
import { rejects } from '#dist/sinks/rejects.js'
import { times } from '../support/volume.js'
import { watchRejections } from '../support/rejections.js'
import { useFolder } from './folder.js'

const folder = useFolder()
watchRejections()

function opened(name: string, kept?: { readonly length: number; readonly count: number }): FailureTarget {
  const open = targetOf(rejects(folder.at(name)))
  if (open === undefined) throw new Error('It has no file')
  const files = kept && { ...kept, hasCheckpoint: true }
  return open(
    () => undefined,
    () => [],
    files,
  )
}

function rejected(text: string, index: number): Rejected {
  const error = new Error(text)
  return { index, item: text, format: undefined, place: undefined, error, task: 't', attempts: 1 }
}

/** As a sink does it: the target does not publish a file that is kept. */
async function publish(target: FailureTarget): Promise<void> {
  const { kept } = target
  if (kept === undefined) throw new Error('It is not kept')
  await target.publish()
  const files = [{ path: kept.path, bytes: target.length }]
  await publishFiles(files, { overwrite: true, inputs: new InputFiles(() => []) }, 'rejects')
}

const NEW = { length: 0, count: 0 }

it('it has the same bytes as without a stop, wherever it was cut', async () => {
  const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(
      texts,
      fc.array(fc.record({ cut: fc.nat(20), lost: fc.nat(9) }), { maxLength: 3 }),
      async (all, stops) => {
        const whole = opened('whole')
        for (const [index, text] of all.entries()) whole.add(rejected(text, index))
        await whole.publish()
        let kept = NEW
        for (const { cut, lost } of stops) {
          const target = opened('parts', kept)
          const end = Math.min(all.length, kept.count + cut)
          for (const [at, text] of all.slice(kept.count, end).entries()) target.add(rejected(text, kept.count + at))
          kept = { length: target.length, count: target.count }
          const safe = target.kept?.sync(kept.length)
          for (let at = 0; at < lost; at++) target.add(rejected('lost', at))
          await safe
          void target.discard()
          // The next one of this path waits for the end of this one.
          const next = opened('parts', kept)
          await next.kept?.sync(kept.length)
          void next.discard()
        }
        const last = opened('parts', kept)
        for (const [at, text] of all.slice(kept.count).entries()) last.add(rejected(text, kept.count + at))
        await last.finish()
        expect(existsSync(folder.at('parts'))).toBe(false)
        await publish(last)
        expect([last.count, last.length]).toEqual([
          all.length,
          folder.read('whole').length === 0 ? 0 : Buffer.byteLength(folder.read('whole')),
        ])
        expect(folder.read('parts')).toBe(folder.read('whole'))
        expect(folder.files()).toEqual(['parts', 'whole'])
        rmSync(folder.at('parts'))
      },
    ),
    { numRuns: times(10, 300) },
  )
})

it('what was written after the cut is dropped, and what was safe must be there', async () => {
  const first = opened('a', NEW)
  first.add(rejected('one', 0))
  const { length, count } = first
  await first.kept?.sync(length)
  void first.discard()
  const second = opened('a', { length, count })
  await second.kept?.sync(length)
  void second.discard()
  appendFileSync(folder.at('a.part'), 'of the dead run')
  const third = opened('a', { length, count })
  third.add(rejected('two', 1))
  await third.finish()
  await publish(third)
  const items = folder.read('a').trim().split('\n')
  expect(items.map((line) => (JSON.parse(line) as { item: unknown }).item)).toEqual(['one', 'two'])
  writeFileSync(folder.at('a.part'), 'short')
  const fourth = opened('a', { length, count })
  await expect(fourth.finish()).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_OUTPUT', path: folder.at('a') })
  void fourth.discard()
})

it('is not made safe any more when it is left', async () => {
  const target = opened('b', NEW)
  target.add(rejected('one', 0))
  void target.discard()
  await expect(target.kept?.sync(target.length)).rejects.toThrow('not written any more')
})
