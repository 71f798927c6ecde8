/** `--at-op` and `--at`: reading the store as it was. */
import type { Store, StoreReader } from '../index.ts'
import { type Flag, text } from './command.ts'
import { UsageError } from './usage-error.ts'

export const AT_FLAGS: Readonly<Record<'at-op' | 'at', Flag<'text'>>> = {
  'at-op': text('N', 'As it was after operation N'),
  at: text('DATE', 'As it was then: 2026-05-01 (the end of that day), 2026-05-01T10:00'),
}

interface Given {
  readonly 'at-op': string | undefined
  readonly at: string | undefined
}

/** The store, or the earlier one that the flags ask for. Throws UsageError. */
export function asOf(store: Store, { 'at-op': operation, at }: Given): StoreReader {
  if (operation !== undefined && at !== undefined) {
    throw new UsageError('"--at-op" and "--at" exclude each other.')
  }
  if (operation !== undefined) return store.at({ operation: readOperation(operation, '"--at-op"') })
  return at === undefined ? store : store.at({ time: readTime(at) })
}

/** The number of an operation, as typed; `what` says where. Throws UsageError. */
export function readOperation(typed: string, what: string): number {
  if (/^\d{1,12}$/.test(typed)) return Number(typed)
  throw new UsageError(
    `${what} cannot be "${typed}".`,
    'Give the number of an operation: `artifacts op log` lists them.',
  )
}

const TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(Z|[+-]\d\d:?\d\d)?)?$/

/** A day means its last moment; without a zone, local time is meant. Throws UsageError. */
export function readTime(typed: string): Date {
  const match = TIME.exec(typed)
  const time = match === null ? undefined : toTime(match)
  if (time !== undefined) return time
  throw new UsageError(
    `"--at" cannot be "${typed}".`,
    'Write a day or a time: `2026-05-01`, `2026-05-01T10:00`, `2026-05-01T10:00Z`.',
  )
}

/** Undefined for what is no day of the calendar or no time of the day. */
function toTime([, year, month, day, hour, minute, second, fraction, zone]: readonly (
  | string
  | undefined
)[]): Date | undefined {
  const isDay = hour === undefined
  const parts = [
    Number(year),
    Number(month) - 1,
    Number(day),
    isDay ? 23 : Number(hour),
    isDay ? 59 : Number(minute),
    isDay ? 59 : Number(second ?? 0),
    isDay ? 999 : Number((fraction ?? '').padEnd(3, '0')),
  ] as const
  const asUtc = new Date(Date.UTC(...parts))
  const isReal =
    asUtc.getUTCMonth() === parts[1] &&
    asUtc.getUTCDate() === parts[2] &&
    asUtc.getUTCHours() === parts[3] &&
    asUtc.getUTCMinutes() === parts[4] &&
    asUtc.getUTCSeconds() === parts[5]
  if (!isReal) return undefined
  if (zone === undefined) return new Date(...parts)
  return new Date(asUtc.getTime() - offset(zone))
}

/** Milliseconds east of UTC. */
function offset(zone: string): number {
  if (zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000
}
