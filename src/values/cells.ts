/**
 * The cells of a table as JSON. A column's type says how its cells are to be read: times are milliseconds since 1970
 * as in W&B, numbers that JSON lacks are texts in a column of numbers, bigints are texts where a number would lose them.
 */
import { ArtifactsError } from '../errors.ts'
import type { Json } from '../types.ts'
import { jsonText } from './json-text.ts'
import { MEDIA_TYPES } from './kinds.ts'
import { Media } from './media.ts'

export type Cell = Json | bigint | Date | Media

/** How the cells of a column are written and read. */
export interface ColumnType {
  readonly kind: 'plain' | 'number' | 'timestamp' | 'bigint' | 'media'
  /** W&B's description of it. */
  readonly type: Json
}

/** What the cells of one column are. @throws ArtifactsError ERR_INVALID_VALUE where they can't stand together. */
export function columnTypeOf(cells: Iterable<Cell>, where: string): ColumnType {
  const found = new Set<string>()
  let safe = true
  for (const cell of cells) {
    const kind = kindOfCell(cell)
    if (kind === 'bigint') safe &&= isSafe(cell as bigint)
    found.add(kind)
  }
  const optional = found.delete('none')
  const kinds = [...found]
  const [kind] = kinds
  if (kind === undefined) return { kind: 'plain', type: { wb_type: optional ? 'none' : 'unknown' } }
  const isMedia = kinds.every((each) => MEDIA_NAMES.has(each))
  if (kinds.length > 1 && !isMedia) {
    const alone = kinds.find((each) => each in ALONE || MEDIA_NAMES.has(each))
    if (alone === undefined) return { kind: 'plain', type: { wb_type: 'any' } }
    throw new ArtifactsError(
      'ERR_INVALID_VALUE',
      `"${where}" can't be stored: ${ALONE[alone] ?? 'media'} can't stand in one column with other values.`,
      { hint: 'Give them a column of their own.' },
    )
  }
  if (isMedia) return { kind: 'media', type: described(kinds, optional) }
  switch (kind) {
    case 'number':
    case 'timestamp':
      return { kind, type: described([kind], optional) }
    case 'bigint':
      return { kind, type: described([safe ? 'number' : 'string'], optional) }
    default:
      return { kind: 'plain', type: described([kind], optional) }
  }
}

/** How the cells of a column with this description are read. `isBigint` is our own mark beside W&B's. */
export function columnTypeFrom(
  type: Json | undefined,
  isBigint: boolean,
  where: string,
): ColumnType {
  if (isBigint) return { kind: 'bigint', type: null }
  const names = wandbTypes(type).filter((name) => name !== 'none')
  if (names.includes('ndarray')) {
    throw new ArtifactsError(
      'ERR_UNSUPPORTED',
      `"${where}" holds NumPy arrays, which lie in a file of another kind.`,
      { hint: 'Read its bytes instead of its value: `artifacts cat REF PATH`.' },
    )
  }
  const [only] = names
  const isOne = names.length === 1
  if (isOne && (only === 'number' || only === 'timestamp')) return { kind: only, type: null }
  if (names.length > 0 && names.every((name) => MEDIA_NAMES.has(name))) {
    return { kind: 'media', type: null }
  }
  return { kind: 'plain', type: null }
}

/** The JSON of one cell; of media what `media` makes of it. */
export function cellText(
  cell: Cell,
  { kind }: ColumnType,
  where: () => string,
  media: (cell: Media) => string,
): string {
  if (cell === null) return 'null'
  if (kind === 'plain') return jsonText(cell, where())
  if (kind === 'media') return media(cell as Media)
  if (kind === 'timestamp') return jsonText((cell as Date).getTime(), where())
  if (kind === 'bigint') return bigintText(cell as bigint, where)
  return Number.isFinite(cell) ? jsonText(cell, where()) : `"${cell}"`
}

/** The cell that a JSON value stands for, in columns without media. @throws ArtifactsError ERR_INVALID_VALUE. */
export function cellFrom(json: Json, { kind }: ColumnType, where: () => string): Cell {
  if (json === null || kind === 'plain') return json
  if (kind === 'number') {
    if (typeof json === 'number') return json
    if (typeof json === 'string' && NOT_FINITE.has(json)) return Number(json)
  } else if (kind === 'timestamp') {
    if (typeof json === 'number' && Math.abs(json) <= LAST_TIME) return new Date(json)
  } else if (typeof json === 'number' ? Number.isSafeInteger(json) : isDigits(json)) {
    return BigInt(json as number | string)
  }
  throw new ArtifactsError('ERR_INVALID_VALUE', `"${where()}" is no ${kind}.`)
}

/** The fields of a JSON object; none of anything else. */
export function fieldsOf(json: Json | undefined): Readonly<Record<string, Json>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
    ? (json as Readonly<Record<string, Json>>)
    : {}
}

const ALONE: Readonly<Record<string, string>> = { timestamp: 'dates', bigint: 'bigints' }
const MEDIA_NAMES: ReadonlySet<string> = new Set(Object.values(MEDIA_TYPES))
const NOT_FINITE: ReadonlySet<string> = new Set(['NaN', 'Infinity', '-Infinity'])
/** Milliseconds to the last time that a Date can be. */
const LAST_TIME = 8.64e15
/** A million digits take BigInt() a second. */
const MAX_DIGITS = 10_000

function kindOfCell(cell: Cell): string {
  if (cell === null) return 'none'
  if (typeof cell !== 'object') return typeof cell
  if (cell instanceof Date) return 'timestamp'
  return cell instanceof Media ? MEDIA_TYPES[cell.kind] : 'any'
}

function described(names: readonly string[], optional: boolean): Json {
  const types = names.map((name) => ({ wb_type: name }))
  if (!optional && types.length === 1) return types[0] as Json
  const allowed = optional ? [{ wb_type: 'none' }, ...types] : types
  return { wb_type: 'union', params: { allowed_types: allowed } }
}

/** The names of the types that W&B's description allows. */
function wandbTypes(type: Json | undefined): string[] {
  const { wb_type: name, params } = fieldsOf(type)
  if (name !== 'union') return typeof name === 'string' ? [name] : []
  const { allowed_types: allowed } = fieldsOf(params)
  return Array.isArray(allowed)
    ? allowed.map((each: Json) => String(fieldsOf(each)['wb_type']))
    : []
}

function bigintText(value: bigint, where: () => string): string {
  const text = String(value)
  if (isSafe(value)) return text
  if (text.length <= MAX_DIGITS) return `"${text}"`
  throw new ArtifactsError(
    'ERR_INVALID_VALUE',
    `"${where()}" can't be stored: it has ${text.length} digits, and ${MAX_DIGITS} are allowed.`,
  )
}

function isSafe(value: bigint): boolean {
  return Number.isSafeInteger(Number(value))
}

function isDigits(json: Json): boolean {
  return typeof json === 'string' && json.length <= MAX_DIGITS && /^-?\d+$/.test(json)
}
