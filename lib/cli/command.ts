/** What commands have in common: their flags, and how these are read. */
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { UsageError } from './usage-error.js'

export { UsageError }

export interface Command {
  /** One line, for the list of commands. */
  readonly summary: string
  /** What comes after the command's name, besides flags. */
  readonly operands?: string
  readonly flags: Flags
  /** @returns The exit code. */
  run(args: readonly string[]): Promise<number>
}

export interface Flag {
  readonly type: 'string' | 'boolean'
  /** Whether it can be given several times. */
  readonly multiple?: boolean
  /** Its value, in the help: `N`. */
  readonly value?: string
  readonly help: string
}

export type Flags = Readonly<Record<string, Flag>>

export interface Given {
  readonly values: Values
  readonly operands: readonly string[]
}

/** The flags that were given. */
export class Values {
  readonly #given: Readonly<Record<string, unknown>>

  constructor(given: Readonly<Record<string, unknown>>) {
    this.#given = given
  }

  text(flag: string): string | undefined {
    return this.#given[flag] as string | undefined
  }

  texts(flag: string): readonly string[] {
    return (this.#given[flag] as readonly string[] | undefined) ?? []
  }

  isSet(flag: string): boolean {
    return this.#given[flag] === true
  }

  /** A text of a certain form. */
  matching(flag: string, expected: string, accepts: (text: string) => boolean): string | undefined {
    const text = this.text(flag)
    if (text === undefined || accepts(text)) return text
    return this.#fail(flag, expected, text)
  }

  integer(flag: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number | undefined {
    const text = this.text(flag)
    if (text === undefined) return undefined
    const value = /^\d+$/.test(text) ? Number(text) : NaN
    if (value >= min && value <= max) return value
    const bounds = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
    return this.#fail(flag, `an integer ${bounds}`, text)
  }

  /** `500ms`, `30s`, `5m`, in milliseconds. */
  duration(flag: string): number | undefined {
    return this.#measure(flag, /^(\d+)(ms|s|m)$/, { ms: 1, s: 1_000, m: 60_000 }, 'a time such as 500ms, 30s or 5m')
  }

  /** `512MiB`, `1GiB`, in bytes. */
  size(flag: string): number | undefined {
    const units = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }
    return this.#measure(flag, /^(\d+)(KiB|MiB|GiB|)$/, units, 'a number of bytes such as 512MiB or 1GiB')
  }

  #measure(flag: string, form: RegExp, units: Record<string, number>, expected: string): number | undefined {
    const text = this.text(flag)
    if (text === undefined) return undefined
    const [, count, unit = ''] = form.exec(text) ?? []
    const value = Number(count) * (units[unit] ?? NaN)
    return Number.isSafeInteger(value) ? value : this.#fail(flag, expected, text)
  }

  #fail(flag: string, expected: string, text: string): never {
    throw new UsageError(`--${flag} must be ${expected}: received '${text}'`)
  }
}

/** @throws UsageError */
export function readFlags(flags: Flags, args: readonly string[], takesOperands: boolean): Given {
  const options: ParseArgsConfig['options'] = Object.fromEntries(
    Object.entries(flags).map(([name, { type, multiple = false }]) => [name, { type, multiple }]),
  )
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: takesOperands })
    return { values: new Values(values), operands: positionals }
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS_')) throw error
    // The rest of Node's text is about its own API.
    throw new UsageError((error as Error).message.split(/[.] To specify|\n/)[0])
  }
}

export function helpOf(name: string, { summary, operands, flags }: Command): string {
  const rows = Object.entries(flags).map(([flag, { value, help }]) => [`--${flag}${value ? ` ${value}` : ''}`, help])
  const width = Math.max(...rows.map(([left = '']) => left.length)) + 2
  const lines = rows.map(([left = '', help = '']) => `  ${left.padEnd(width)}${help}`)
  return [`Usage: npx millrace ${name} ${operands ? `${operands} ` : ''}[FLAGS]`, summary, lines.join('\n')].join(
    '\n\n',
  )
}
