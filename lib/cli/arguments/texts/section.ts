/** What help, the man page and docs/cli.md are made of. In texts, `code` stands between back quotes. */

export interface Section {
  readonly title: string
  readonly blocks: readonly Block[]
}

export type Block =
  | { readonly text: string }
  /** Each word with what it is. */
  | { readonly terms: readonly (readonly [term: string, text: string])[] }
  | { readonly examples: readonly Example[] }

export interface Example {
  readonly says: string
  readonly command: string
}

/** Texts without the back quotes. */
export function plain(text: string): string {
  return text.replaceAll('`', '')
}
