/** Waiting, in a test, for a count in shared memory. */
type WaitAsync = (cells: Int32Array, cell: number, value: number) => { readonly value: Promise<string> | string }
// In every supported Node, but not in the ES2023 library.
const { waitAsync } = Atomics as typeof Atomics & { readonly waitAsync: WaitAsync }

/** Settles when a cell has at least that value, which whoever changes it must notify. */
export async function reached(cells: Int32Array, cell: number, wanted: number): Promise<void> {
  for (let now = Atomics.load(cells, cell); now < wanted; now = Atomics.load(cells, cell)) {
    await waitAsync(cells, cell, now).value
  }
}
