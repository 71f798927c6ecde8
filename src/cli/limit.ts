import { UsageError } from './usage-error.ts'

/** The number behind `--limit`. Throws UsageError. */
export function readLimit(typed: string): number {
  if (/^[1-9]\d{0,8}$/.test(typed)) return Number(typed)
  throw new UsageError(`"--limit" cannot be "${typed}".`, 'Give a whole number above zero.')
}
