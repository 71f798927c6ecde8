/** The columns and the first rows of a table. */
import { delimiterOf, NotRows, RowReader } from '../content-diff/row-reader.ts'
import { isBinary } from '../content-diff/text.ts'
import type { Previewed, PreviewLimits } from './preview.ts'

export interface TablePreview {
  readonly kind: 'table'
  readonly format: 'csv' | 'tsv'
  readonly packed?: 'gzip'
  readonly columns: readonly string[]
  /** Texts as they are in the file; long ones are cut. */
  readonly rows: readonly (readonly string[])[]
  /** There are more rows. */
  readonly isCut: boolean
}

const HEAD_BYTES = 4096
const LONGEST_CELL = 200
/** A row that is longer than this is none that can be shown. */
const LONGEST_ROW = 64 << 10

/** Undefined for what is no table. */
export function tablePreview(
  source: Previewed,
  format: 'csv' | 'tsv',
  { lines }: PreviewLimits,
): TablePreview | undefined {
  if (source.size === 0 || isBinary(source.read(0, HEAD_BYTES))) return undefined
  try {
    const reader = new RowReader(source, delimiterOf(source, format), () => false)
    if (!reader.next()) return undefined
    const columns = reader.texts().map(shortened)
    const rows: string[][] = []
    let isCut = false
    while (reader.next()) {
      // The last row of a beginning may itself be cut.
      const isWhole = source.isCut !== true || reader.position < source.size
      if (rows.length === lines || !isWhole || reader.position - reader.rowStart > LONGEST_ROW) {
        isCut = true
        break
      }
      rows.push(reader.texts().map(shortened))
    }
    return { kind: 'table', format, columns, rows, isCut: isCut || source.isCut === true }
  } catch (error) {
    if (error instanceof NotRows) return undefined
    throw error
  }
}

function shortened(cell: string): string {
  return cell.length > LONGEST_CELL ? `${cell.slice(0, LONGEST_CELL)}…` : cell
}
