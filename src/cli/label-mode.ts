/** Whether labels are added, removed or set as a whole. */
import type { LabelMode } from '../index.ts'
import { type Flag, yes } from './command.ts'
import { UsageError } from './usage-error.ts'

export const LABEL_FLAGS: Readonly<Record<'remove' | 'set', Flag<'yes'>>> = {
  remove: yes('Take them away'),
  set: yes('These and no others'),
}

/** Throws UsageError for both flags, and where no label is named and not all are to go. */
export function readMode(
  { remove, set }: { readonly remove: boolean; readonly set: boolean },
  labels: readonly string[],
  what: string,
): LabelMode {
  if (remove && set) throw new UsageError('"--remove" and "--set" exclude each other.')
  if (labels.length === 0 && !set) {
    throw new UsageError(
      `No ${what} is named.`,
      `Usage: \`artifacts ${what} REF ${what.toUpperCase()}...\``,
    )
  }
  return remove ? 'remove' : set ? 'set' : 'add'
}
