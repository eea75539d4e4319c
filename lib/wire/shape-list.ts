/** Numbers the lists of keys that objects of a scope have. */

interface Node {
  readonly next: Map<string, Node>
  /** Of the list that ends here. */
  number: number | undefined
}

export class ShapeList {
  readonly #root: Node = { next: new Map(), number: undefined }
  #count = 0

  /** The number of a list, from 1; 0 if it is new. It has its number from then on. */
  find(keys: readonly string[]): number {
    let node = this.#root
    for (const key of keys) {
      let next = node.next.get(key)
      if (next === undefined) node.next.set(key, (next = { next: new Map(), number: undefined }))
      node = next
    }
    if (node.number !== undefined) return node.number
    node.number = ++this.#count
    return 0
  }
}
