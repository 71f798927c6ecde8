/**
 * Parquet by hyparquet, a column of a row group at a time, so that memory holds one column and not all rows. Values
 * become texts that keep all of them: what JavaScript's dates and numbers would round is read as it is stored.
 */
import type { AsyncBuffer, Compressors, FileMetaData, SchemaElement, SchemaTree } from 'hyparquet'
import { parquetMetadataAsync, parquetScan, parquetSchema } from 'hyparquet'
import { compressors, decompressZstd } from 'hyparquet-compressors'

/** Rows of a row group, and bytes of a page: a few bytes of a file can stand for any number of both. */
const MAX_GROUP_ROWS = 8_000_000
const MAX_PAGE_BYTES = 256 << 20

export interface ParquetFile {
  readonly columns: readonly ParquetColumn[]
  readonly rows: number
  readonly groups: readonly RowGroup[]
  /** Each cell as a text; undefined where there is none. */
  read(column: ParquetColumn, group: RowGroup): Promise<(string | undefined)[]>
}

export interface ParquetColumn {
  readonly name: string
  /** For people: `INT64`, `STRING`, `LIST<DOUBLE>`. */
  readonly type: string
  /** Digits behind the point of a decimal number. */
  readonly scale: number | undefined
}

/** Rows from `start` on. */
export interface RowGroup {
  readonly start: number
  readonly rows: number
}

/** @throws Error of any kind for what is no such file. */
export async function openParquet(file: AsyncBuffer): Promise<ParquetFile> {
  const metadata = await parquetMetadataAsync(file, { geoparquet: false, initialFetchSize: 65_536 })
  const tree = parquetSchema(metadata)
  const columns = tree.children.map(({ element, children }) => columnOf(element, children))
  readDecimalsAsStored(metadata)
  let rows = 0
  const groups = metadata.row_groups.map(({ num_rows }) => {
    const group = { start: rows, rows: Number(num_rows) }
    if (!(group.rows >= 0 && group.rows <= MAX_GROUP_ROWS)) {
      throw new RangeError(`a row group of it has ${num_rows} rows`)
    }
    rows += group.rows
    return group
  })
  return {
    columns,
    rows,
    groups,
    async read({ name, scale }, group) {
      if (group.rows === 0) return []
      // A scan remembers the columns it has read, so each has its own.
      const scan = await parquetScan({
        file,
        metadata,
        columns: [name],
        useOffsetIndex: false,
        compressors: BOUNDED,
        parsers: PARSERS,
        utf8: false,
        geoparquet: false,
      })
      const [rowStart, rowEnd] = [group.start, group.start + group.rows]
      const values = await scan.readColumn({ column: name, rowStart, rowEnd })
      if (values.length !== group.rows) throw new RangeError('a column of it has too few cells')
      return Array.from(values as ArrayLike<unknown>, (value) => cellText(value, scale))
    },
  }
}

const BOUNDED: Compressors = Object.fromEntries(
  Object.entries({
    ...compressors,
    // Bounded by the room it is given; without, by nothing.
    ZSTD: (input: Uint8Array, length: number) => decompressZstd(input, new Uint8Array(length)),
  }).map(([codec, decompress]) => [
    codec,
    (input: Uint8Array, length: number) => {
      if (length > MAX_PAGE_BYTES) throw new RangeError(`a page of it has ${length} bytes`)
      return decompress(input, length)
    },
  ]),
)

const PARSERS = {
  timestampFromMilliseconds: (value: bigint | number) => instant(BigInt(value), 3),
  timestampFromMicroseconds: (value: bigint | number) => instant(BigInt(value), 6),
  timestampFromNanoseconds: (value: bigint | number) => instant(BigInt(value), 9),
  dateFromDays: (days: number) => dayOf(days),
  stringFromBytes: textOf,
  jsonFromBytes: textOf,
  geometryFromBytes: hexOf,
  geographyFromBytes: hexOf,
}

function columnOf(element: SchemaElement, children: readonly SchemaTree[]): ParquetColumn {
  const isDecimal = children.length === 0 && element.converted_type === 'DECIMAL'
  return {
    name: element.name,
    type: typeOf(element, children),
    scale: isDecimal ? (element.scale ?? 0) : undefined,
  }
}

function typeOf(element: SchemaElement, children: readonly SchemaTree[]): string {
  const { logical_type: logical, converted_type: converted, type, scale, precision } = element
  const name = logical?.type ?? converted ?? type ?? 'GROUP'
  const unit = logical !== undefined && 'unit' in logical ? `(${logical.unit})` : ''
  const digits = name === 'DECIMAL' ? `(${precision}, ${scale ?? 0})` : ''
  const inner = children.map((child) => typeOf(child.element, child.children))
  return `${name}${unit}${digits}${inner.length === 0 ? '' : `<${inner.join(', ')}>`}`
}

/** The package makes numbers of them, which round. */
function readDecimalsAsStored({ schema }: FileMetaData): void {
  for (const element of schema) {
    if (element.converted_type === 'DECIMAL') delete element.converted_type
  }
}

function cellText(value: unknown, scale: number | undefined): string | undefined {
  if (value === null || value === undefined) return undefined
  if (scale !== undefined) return decimalText(value, scale)
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'object':
      return value instanceof Uint8Array ? hexOf(value) : JSON.stringify(value, plain)
    default:
      return String(value)
  }
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (value instanceof Uint8Array) return hexOf(value)
  return ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<unknown>) : value
}

/** A whole number, or the bytes of one, with a point in it. */
function decimalText(value: unknown, scale: number): string {
  const whole =
    value instanceof Uint8Array
      ? BigInt.asIntN(value.length * 8, BigInt(`0x0${Buffer.from(value).toString('hex')}`))
      : BigInt(value as number | bigint)
  const digits = String(whole < 0n ? -whole : whole).padStart(scale + 1, '0')
  const sign = whole < 0n ? '-' : ''
  if (scale <= 0) return `${sign}${digits}${'0'.repeat(Math.min(-scale, 400))}`
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** `2026-05-01T10:00:00.123456`, of a count of parts of a second since 1970. */
function instant(count: bigint, digits: 3 | 6 | 9): string {
  const second = 10n ** BigInt(digits)
  const rest = ((count % second) + second) % second
  const seconds = Number((count - rest) / second)
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) return `${count}e-${digits} s`
  return `${date.toISOString().slice(0, -5)}.${String(rest).padStart(digits, '0')}`
}

function dayOf(days: number): string {
  const date = new Date(days * 86_400_000)
  return Number.isNaN(date.getTime()) ? `${days} d` : date.toISOString().replace(/T.*/, '')
}

/** Text, or what it consists of where it is none. */
function textOf(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
  return text.includes('\ufffd') ? hexOf(bytes) : text
}

function hexOf(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`
}
