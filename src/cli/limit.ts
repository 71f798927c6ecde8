import { UsageError } from './usage-error.ts'

/** The number behind a flag that limits something. Throws UsageError. */
export function readLimit(typed: string, flag = '--limit'): number {
  if (/^[1-9]\d{0,8}$/.test(typed)) return Number(typed)
  throw new UsageError(`"${flag}" cannot be "${typed}".`, 'Give a whole number above zero.')
}

/** The same for a flag that may be left out. */
export function readOptional(typed: string | undefined, flag: string): number | undefined {
  return typed === undefined ? undefined : readLimit(typed, flag)
}
