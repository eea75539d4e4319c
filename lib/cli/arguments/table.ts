/** The one table of options. */
import { INPUT } from './input-options.js'
import type { Option, OptionGroup } from './option.js'
import { OUTPUT } from './output-options.js'
import { REPORT } from './report-options.js'
import { FAULTS, RUN } from './run-options.js'
import { STAGES } from './stage-options.js'

export const GROUPS: readonly OptionGroup[] = [STAGES, INPUT, OUTPUT, RUN, FAULTS, REPORT]
export const OPTIONS: readonly Option[] = GROUPS.flatMap(({ options }) => options)
export { STAGES }

/** As it is written for people: `-o` if it has a letter, otherwise `--head`. */
export function shownName({ short, name }: Option): string {
  return short === undefined ? `--${name}` : `-${short}`
}

/** With its value: `-o FILE`. */
export function shownOption(option: Option): string {
  return option.value === undefined ? shownName(option) : `${shownName(option)} ${option.value}`
}

/** @throws If the table has no such option. */
export function optionNamed(name: string): Option {
  const found = OPTIONS.find((option) => option.name === name)
  if (found === undefined) throw new Error(`There is no option '${name}'`)
  return found
}
