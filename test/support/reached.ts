/** Waits, in a test, for a count in shared memory. */
type WaitAsync = (cells: Int32Array, cell: number, value: number) => { readonly value: Promise<string> | string }
// Every supported Node has it. The ES2023 types do not.
const { waitAsync } = Atomics as typeof Atomics & { readonly waitAsync: WaitAsync }

/** Settles when a cell has at least that value. The thread that changes the cell must notify it. */
export async function reached(cells: Int32Array, cell: number, wanted: number): Promise<void> {
  for (let now = Atomics.load(cells, cell); now < wanted; now = Atomics.load(cells, cell)) {
    await waitAsync(cells, cell, now).value
  }
}
