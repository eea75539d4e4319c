/**
 * Memory that threads share, in slabs. A slab is used again when nothing refers to it. All small slabs of a thread are pieces of one
 * WebAssembly memory, where the kernel can scan them. The reason for one memory is that each reserves gigabytes of addresses.
 */
import { KERNEL } from './kernel.js'

/**
 * For the bytes of blocks. Measured from 64 KiB to 1 MiB: smaller ones cost more trips to the thread pool, larger ones only more memory.
 * A multiple of the pages of WebAssembly, as all sizes are.
 */
export const BLOCK_SIZE: number = 512 * 1024

const PAGE_SIZE = 64 * 1024
/** Enough for many blocks whose results wait for a slow consumer. Beyond that, slabs have their own memory. */
const MAX_PAGES = 2 ** 30 / PAGE_SIZE
/** The first page holds what the kernel returns. No slab begins there. */
export const RESULT = 0

/** The part of the API that is used here. TypeScript declares it only for browsers. */
interface WebAssemblyApi {
  readonly Memory: new (limits: { initial: number; maximum: number; shared: true }) => GrowingMemory
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Functions }
}

interface GrowingMemory {
  /** All of it as it is now. */
  readonly buffer: SharedArrayBuffer
  /** Throws where it cannot grow. @returns How many pages it had before. */
  grow(pages: number): number
}

/** The functions of kernel.wat. */
interface Functions {
  readonly scan: (from: number, to: number, byte: number, out: number, outEnd: number, result: number) => number
  readonly quoted: (
    from: number,
    to: number,
    quote: number,
    delimiter: number,
    mode: number,
    state: number,
    out: number,
    outEnd: number,
    result: number,
  ) => number
  readonly elements: (
    from: number,
    to: number,
    depth: number,
    state: number,
    out: number,
    outEnd: number,
    result: number,
  ) => number
  readonly units: (from: number, positions: number, count: number, out: number) => void
}

/** The memory that the kernel can scan. */
interface KernelMemory extends Functions {
  readonly memory: GrowingMemory
  /** The first bytes, where the kernel writes what it returns. */
  readonly result: Uint32Array
}

/** Of this thread: undefined before the first slab; null where the kernel cannot run. */
let kernelMemory: KernelMemory | null | undefined

function webAssembly(): WebAssemblyApi {
  return (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly
}

/** Null under `--jitless`, without SIMD, and where there are not enough addresses. */
export function openKernel(): KernelMemory | null {
  if (kernelMemory === undefined) {
    try {
      const { Memory, Module, Instance } = webAssembly()
      const memory = new Memory({ initial: 1, maximum: MAX_PAGES, shared: true })
      const { exports } = new Instance(new Module(Buffer.from(KERNEL, 'base64')), { scan: { memory } })
      const { scan, quoted, units, elements } = exports
      kernelMemory = { memory, scan, quoted, units, elements, result: new Uint32Array(memory.buffer, RESULT, 4) }
    } catch {
      // The fallback needs none of it, and finds the same.
      kernelMemory = null
    }
  }
  return kernelMemory
}

/** The functions of another kernel, on the same memory. Null where kernels cannot run. */
export function openModule(base64: string): object | null {
  const kernel = openKernel()
  if (kernel === null) return null
  const { Module, Instance } = webAssembly()
  return new Instance(new Module(Buffer.from(base64, 'base64')), { scan: { memory: kernel.memory } }).exports
}

/** Where a slab is. */
interface Region {
  /** All of the memory, as it was when the slab was made. */
  readonly buffer: SharedArrayBuffer
  readonly start: number
  /** Whether it is in the memory of the kernel, which stays allocated for as long as the thread lives. */
  readonly isScannable: boolean
}

/** Free pieces of the kernel's memory, by size. */
const free = new Map<number, Region[]>()
/**
 * Free slabs with their own memory, by size. V8 does not count shared memory, so dropped slabs pile up until it happens to collect
 * garbage. They are held weakly, so the next full collection frees them.
 */
const idle = new Map<number, WeakRef<Region>[]>()

/** A slab that was dropped and not released gives its piece back, too. */
const dropped = new FinalizationRegistry<{ readonly region: Region; readonly size: number }>(({ region, size }) => {
  listOf(free, size).push(region)
})

/** The slabs that were taken, by the page of the kernel's memory where they begin and all others. */
const slabsOfPages: (WeakRef<Slab> | undefined)[] = []
const kernelBuffers = new WeakSet<ArrayBufferLike>()
const otherSlabs = new WeakMap<ArrayBufferLike, WeakRef<Slab>>()

/** A piece of shared memory. Each user of it retains it, and releases it once. */
export class Slab {
  /** All of the memory that the slab is a piece of. Positions in the slab are positions in this. */
  readonly buffer: SharedArrayBuffer
  readonly start: number
  readonly size: number
  /** Whether the kernel can scan it. */
  readonly isScannable: boolean
  readonly #region: Region
  #references = 1

  private constructor(region: Region, size: number) {
    this.buffer = region.buffer
    this.start = region.start
    this.isScannable = region.isScannable
    this.size = size
    this.#region = region
    if (region.isScannable) {
      dropped.register(this, { region, size }, this)
      kernelBuffers.add(region.buffer)
      const reference = new WeakRef(this)
      for (let at = region.start; at < region.start + size; at += PAGE_SIZE) slabsOfPages[at / PAGE_SIZE] = reference
    } else otherSlabs.set(region.buffer, new WeakRef(this))
  }

  /** A slab with one reference to it, for as many bytes. Its bytes are those of its last user. */
  static take(bytes: number): Slab {
    if (bytes <= BLOCK_SIZE) {
      const size = bytes <= PAGE_SIZE ? PAGE_SIZE : BLOCK_SIZE
      const region = listOf(free, size).pop() ?? grow(size)
      if (region !== undefined) return new Slab(region, size)
    }
    // Few sizes, so that slabs for long lines fit others too.
    const size = Math.max(PAGE_SIZE, 2 ** Math.ceil(Math.log2(bytes)))
    const regions = listOf(idle, size)
    while (regions.length > 0) {
      const region = regions.pop()?.deref()
      if (region !== undefined) return new Slab(region, size)
    }
    return new Slab({ buffer: new SharedArrayBuffer(size), start: 0, isScannable: false }, size)
  }

  /** The slab that bytes are in, if they are in one. */
  static of({ buffer, byteOffset }: Uint8Array): Slab | undefined {
    if (kernelBuffers.has(buffer)) return slabsOfPages[Math.floor(byteOffset / PAGE_SIZE)]?.deref()
    return otherSlabs.get(buffer)?.deref()
  }

  /** Its bytes, or the first ones. */
  bytes(length: number = this.size): Buffer<SharedArrayBuffer> {
    return Buffer.from(this.buffer, this.start, length)
  }

  retain(): void {
    this.#references++
  }

  release(): void {
    if (--this.#references > 0) return
    if (this.isScannable) {
      dropped.unregister(this)
      listOf(free, this.size).push(this.#region)
    } else listOf(idle, this.size).push(new WeakRef(this.#region))
  }
}

/** More of the kernel's memory; undefined where there is none. */
function grow(size: number): Region | undefined {
  const kernel = openKernel()
  if (kernel === null) return undefined
  try {
    const start = kernel.memory.grow(size / PAGE_SIZE) * PAGE_SIZE
    return { buffer: kernel.memory.buffer, start, isScannable: true }
  } catch {
    // It is as large as it can be.
    return undefined
  }
}

function listOf<T>(lists: Map<number, T[]>, size: number): T[] {
  const list = lists.get(size) ?? []
  lists.set(size, list)
  return list
}
