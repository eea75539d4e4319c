/** zstd by the package fzstd, which is an optional peer: the way of Node 20, tested on every version. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { lines } from 'millrace'
import { Decompressor } from '#dist/io/decompress.js'
import { fzstd } from '#dist/io/fzstd.js'
import type { Reader } from '#dist/io/source.js'
import { runNode } from '../support/programs.js'

/** 40 lines of words, by `zstd -19`. */
const FRAME = Buffer.from(
  'KLUv/WTtBJ0NAOJGFBKQzwFgg02QwQYbjP7/f/zLLRV/zzd6z/v3fM/3/P1Tzx/Ny6+RKOwZS+23dDS2ju8+DjacJu8J0MQ5sJfWiLhkQGktwW' +
    '0DiAvA2Y4CyNeoCoDOqDEbJ9P+BiCEGMSYmQcQEG+EyAxjy2QdSByiJzcjRJtXx5VO4XGo5cNkq2xgi8TyJPetDDdl1fUqPg1L3fGH+iLWQL6V' +
    '5+DAY2ubjcTHYrkjZqeCsBYkjSiKRhtoQCgdmErgujxMyGUrXm6aKp6A9DBTJN0x3D0QWtJqQzUSq190EAYc5Dlv+QD8HW6Owi7mSa6+iLnr4l' +
    'QZuUhtDbs+hTTa9D5FBteTjqxJNWfeUZl0Hp8bpEZI/XDNR45HjyxrTG8DbOicUmXQML48RCx6cmdSsesTTVSORzOiuH4GTp/3AWusuifk1J9w' +
    'n3KwCnCTDfUZCA8FMG66f63qG2C3H9u8kEyTayRffUU5/XEZsOcJfjhH1DI0f/uFKHL9jNhhf+nuwgL7B9OYKiIP44a1kyCjYrWOnzEsA8qRKP' +
    'QKgCdT8djAC1vRlBnUbnaTpAklhYFWygtehQkYqhWWKkDYcpY=',
  'base64',
)
const TEXT_HASH = '0a29d55113e5eacc752d318bb813cbff5d443a5460205e360b15ce6a918a21e8'
const TEXT_LENGTH = 1517

const folder = mkdtempSync(join(tmpdir(), 'millrace-fzstd-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const hasOwn = 'createZstdDecompress' in zlib

/** A frame of blocks that each stand for many equal bytes. */
function repeated(byte: number, length: number, blocks: number): Buffer {
  // Magic number; no checksum; a window of 128 KiB.
  const frame = [Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0x38)]
  for (let block = 1; block <= blocks; block++) {
    const header = (length << 3) | 2 | (block === blocks ? 1 : 0)
    frame.push(Buffer.of(header & 0xff, (header >> 8) & 0xff, header >> 16, byte))
  }
  return Buffer.concat(frame)
}

function decoded(bytes: Buffer, sizes: number): Reader<Buffer> {
  const compression = fzstd()
  if (compression === undefined) throw new Error('fzstd is not installed')
  let at = 0
  const blocks: Reader<Buffer> = {
    next: () => {
      if (at >= bytes.length) return { done: true, value: undefined }
      at += sizes
      return { done: false, value: bytes.subarray(at - sizes, at) }
    },
    close: () => undefined,
  }
  return new Decompressor(compression, blocks, () => undefined)
}

async function textOf(bytes: Buffer, sizes = bytes.length): Promise<Buffer> {
  const reader = decoded(bytes, sizes)
  const text: Buffer[] = []
  for (;;) {
    const result = await reader.next()
    if (result.done) return Buffer.concat(text)
    text.push(Buffer.from(result.value))
  }
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

describe('fzstd decodes', () => {
  it('a frame in blocks of any size', async () => {
    for (const sizes of [1, 3, 255, 256, 257, 1000]) expect(hash(await textOf(FRAME, sizes))).toBe(TEXT_HASH)
  })

  it('several frames, one of them empty, and one that is skipped', async () => {
    const skipped = Buffer.concat([Buffer.from('502a4d1803000000', 'hex'), Buffer.from('abc')])
    const empty = Buffer.from('28b52ffd2000010000', 'hex')
    const all = Buffer.concat([FRAME, skipped, empty, FRAME])
    const text = await textOf(all, 100)
    expect(text.length).toBe(2 * TEXT_LENGTH)
    expect(hash(text.subarray(TEXT_LENGTH))).toBe(TEXT_HASH)
  })

  it('more than fits into memory, as it is read', async () => {
    // 4 GiB of text in 128 KiB.
    const reader = decoded(repeated(97, 131_072, 32_768), 65_536)
    let length = 0
    const before = process.memoryUsage().arrayBuffers
    for (let count = 0; count < 300; count++) {
      const result = await reader.next()
      length += result.done ? 0 : result.value.length
    }
    expect(length).toBeGreaterThan(30 * 2 ** 20)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 2 ** 20)
    await reader.close()
  })

  it('no frame that needs a window of more than 128 MiB, as Node, also behind others', async () => {
    const frame = (descriptor: number, ...header: number[]) =>
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, descriptor, ...header, 1, 0, 0])
    const small = frame(0, 7 << 3)
    for (const tooLarge of [
      frame(0, 18 << 3),
      frame(0, (17 << 3) | 1),
      frame(0xa0, 1, 0, 0, 8),
      frame(0xe3, 1, 2, 3, 4, 0, 0, 0, 0, 1, 0, 0, 0),
    ]) {
      for (const bytes of [
        tooLarge,
        Buffer.concat([FRAME, small, Buffer.from('532a4d1802000000abab', 'hex'), tooLarge]),
      ]) {
        const error: unknown = await textOf(bytes, 7).catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ code: 'ERR_DAMAGED_INPUT' })
        expect(String(error)).toContain('at most 134217728 are allowed')
      }
    }
    expect(await textOf(frame(0, 17 << 3))).toHaveLength(0)
  })

  it('and says that data are damaged or end too early', async () => {
    await expect(textOf(FRAME.subarray(0, -20))).rejects.toMatchObject({
      code: 'ERR_DAMAGED_INPUT',
      offset: FRAME.length - 20,
    })
    await expect(textOf(FRAME.subarray(0, 10), 3)).rejects.toMatchObject({ code: 'ERR_DAMAGED_INPUT', offset: 10 })
    const behind = Buffer.concat([FRAME, Buffer.from('and then other bytes')])
    await expect(textOf(behind)).rejects.toMatchObject({
      code: 'ERR_DAMAGED_INPUT',
      message: expect.stringContaining('zstd') as string,
    })
  })
})

describe('lines() of zstd', () => {
  it('uses Node where it can, and else fzstd', async () => {
    const path = join(folder, 'text.zst')
    writeFileSync(path, FRAME)
    for (const source of [path, [FRAME], Array.from(FRAME, (byte) => Uint8Array.of(byte))]) {
      const given: string[] = []
      for await (const line of lines(source)) given.push(line)
      expect(hash(Buffer.from(`${given.join('\n')}\n`))).toBe(TEXT_HASH)
    }
  })

  const itWithout = hasOwn ? it.skip : it
  itWithout('says what to do where neither is there', async () => {
    const program = `
      import Module from 'node:module'
      const resolve = Module._resolveFilename
      Module._resolveFilename = function (request, ...rest) {
        if (request === 'fzstd') throw Object.assign(new Error('not here'), { code: 'MODULE_NOT_FOUND' })
        return resolve.call(this, request, ...rest)
      }
      const { lines } = await import(${JSON.stringify(import.meta.resolve('millrace'))})
      try {
        for await (const _ of lines([Buffer.from('${FRAME.toString('base64')}', 'base64')]));
      } catch (error) {
        console.log(error.message)
      }`
    const { stdout, stderr } = await runNode(['--input-type=module', '--eval', program])
    expect(stderr).toBe('')
    expect(stdout).toBe(
      'Cannot read the input as it must be text, or text compressed as gzip, zstd or brotli: received zstd data ' +
        "(to decode them here: npm install fzstd, or Node 22.15; to run them through a program: decompress: ['zstd', '-dc']; " +
        'to read its bytes as they are: detect: false)\n',
    )
  })
})
