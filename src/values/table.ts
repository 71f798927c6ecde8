/** Rows under named columns, as W&B stores them: `columns` and `data`, and what the columns hold. */
import * as v from 'valibot'
import { ArtifactsError } from '../errors.ts'
import type { Json } from '../types.ts'
import {
  type Cell,
  type ColumnType,
  cellFrom,
  cellText,
  columnTypeFrom,
  columnTypeOf,
  fieldsOf,
} from './cells.ts'
import { jsonText } from './json-text.ts'
import type { Media } from './media.ts'
import { mediaDocument, mediaFrom } from './media-document.ts'
import type { Attachments } from './media-file.ts'
import { readDocument, type ValueSource } from './value-files.ts'

export class Table {
  readonly columns: readonly string[]
  /** Each row has a cell for each column. */
  readonly data: readonly (readonly Cell[])[]

  /** @throws ArtifactsError ERR_INVALID_VALUE for a row of another length, or two columns of one name. */
  constructor(table: {
    readonly columns: readonly string[]
    readonly data: Iterable<readonly Cell[]>
  }) {
    this.columns = [...table.columns]
    const twice = this.columns.find((name, i) => this.columns.indexOf(name) !== i)
    if (twice !== undefined) throw invalid(`it has two columns "${twice}"`)
    this.data = Array.from(table.data, (row, i) => {
      if (row.length === this.columns.length) return [...row]
      throw invalid(
        `row ${i} has ${row.length} cells where there are ${this.columns.length} columns`,
      )
    })
  }

  /** A column for each field, in the order in which they come up; null where a record lacks one. */
  static fromRecords(records: Iterable<Readonly<Record<string, Cell | undefined>>>): Table {
    const all = [...records]
    const columns = [...new Set(all.flatMap((record) => Object.keys(record)))]
    const cell = (record: Readonly<Record<string, Cell | undefined>>, name: string): Cell =>
      (Object.hasOwn(record, name) ? record[name] : undefined) ?? null
    return new Table({
      columns,
      data: all.map((record) => columns.map((name) => cell(record, name))),
    })
  }

  get rowCount(): number {
    return this.data.length
  }

  async *rows(): AsyncGenerator<readonly Cell[]> {
    yield* this.data
  }

  async *records(): AsyncGenerator<Readonly<Record<string, Cell>>> {
    for (const row of this.data) {
      yield Object.fromEntries(this.columns.map((name, i) => [name, row[i] as Cell]))
    }
  }
}

/** The bytes of a table's document; files that cells consist of are added. */
export async function encodeTable(
  table: Table,
  path: string,
  to: Attachments,
): Promise<Uint8Array> {
  const { columns, data } = table
  const types = columns.map((name, i) => columnTypeOf(cellsOf(data, i), `${path}, column ${name}`))
  // Without media nothing is waited for: cells are taken as they are when this is called.
  const hasMedia = types.some(({ kind }) => kind === 'media')
  const media = hasMedia ? await mediaTexts(table, types, to) : new Map<Media, string>()
  const pieces: string[] = []
  let [n, i] = [0, 0]
  const where = (): string => `${path}, row ${n}, column ${columns[i]}`
  const mediaText = (each: Media): string => media.get(each) as string
  for (const row of data) {
    let text = n === 0 ? '[' : ',\n['
    for (i = 0; i < row.length; i++) {
      if (i > 0) text += ','
      text += cellText(row[i] as Cell, types[i] as ColumnType, where, mediaText)
    }
    pieces.push(`${text}]`)
    n++
  }
  const bigints = columns.filter((_, i) => types[i]?.kind === 'bigint')
  const head = {
    _type: 'table',
    columns,
    ncols: columns.length,
    nrows: data.length,
    ...(bigints.length === 0 ? {} : { bigints }),
    column_types: {
      wb_type: 'typedDict',
      params: {
        type_map: Object.fromEntries(columns.map((name, i) => [name, types[i]?.type ?? null])),
      },
    },
  }
  const opening = `${jsonText(head, path).slice(0, -1)},"data":[\n`
  return Buffer.concat([opening, ...batches(pieces), '\n]}\n'].map((text) => Buffer.from(text)))
}

/** The table of a document. @throws ArtifactsError ERR_INVALID_VALUE, ERR_UNSUPPORTED. */
export async function decodeTable(source: ValueSource, path: string): Promise<Table> {
  const parsed = v.safeParse(DOCUMENT, await readDocument(source, path))
  if (!parsed.success) throw noTable(path, JSON.stringify(v.flatten(parsed.issues).nested ?? {}))
  const { data, ncols, nrows, bigints = [], column_types } = parsed.output
  const columns = parsed.output.columns.map(String)
  const map = fieldsOf(fieldsOf(fieldsOf(column_types as Json)['params'])['type_map'])
  const types = columns.map((name) => {
    const type = Object.hasOwn(map, name) ? (map[name] as Json) : undefined
    return columnTypeFrom(type, bigints.includes(name), `${path}, column ${name}`)
  })
  if ((ncols ?? columns.length) !== columns.length || (nrows ?? data.length) !== data.length) {
    throw noTable(path, 'it has not as many rows and columns as it says')
  }
  const rows = data.map((row, n) => {
    if (Array.isArray(row) && row.length === columns.length) {
      return decodeRow(row as Json[], types, (i) => `${path}, row ${n}, column ${columns[i]}`)
    }
    throw noTable(path, `row ${n} has not ${columns.length} cells`)
  })
  for (const i of columns.keys()) {
    if (types[i]?.kind !== 'media') continue
    for (const [n, row] of rows.entries()) {
      const json = row[i] as Json
      const where = `${path}, row ${n}, column ${columns[i]}`
      row[i] = json === null ? null : await mediaFrom(json, source, where)
    }
  }
  return new Table({ columns, data: rows })
}

const DOCUMENT = v.object({
  _type: v.exactOptional(v.picklist(['table', 'table-file'])),
  columns: v.array(v.union([v.string(), v.number()])),
  data: v.custom<readonly unknown[]>(Array.isArray),
  ncols: v.exactOptional(v.number()),
  nrows: v.exactOptional(v.number()),
  bigints: v.exactOptional(v.array(v.string())),
  column_types: v.exactOptional(v.unknown()),
})

function* cellsOf(data: Table['data'], column: number): Generator<Cell> {
  for (const row of data) yield row[column] as Cell
}

/** The documents of all media in the table. */
async function mediaTexts(
  { columns, data }: Table,
  types: readonly ColumnType[],
  to: Attachments,
): Promise<ReadonlyMap<Media, string>> {
  const texts = new Map<Media, string>()
  for (const i of columns.keys()) {
    if (types[i]?.kind !== 'media') continue
    for (const cell of cellsOf(data, i)) {
      if (cell === null || texts.has(cell as Media)) continue
      const document = await mediaDocument(cell as Media, to)
      texts.set(cell as Media, jsonText(document, columns[i] as string))
    }
  }
  return texts
}

/** The cells of a row; media are left as they are described. */
function decodeRow(
  row: readonly Json[],
  types: readonly ColumnType[],
  whereIs: (column: number) => string,
): Cell[] {
  let i = 0
  const where = (): string => whereIs(i)
  const cells: Cell[] = []
  for (; i < row.length; i++) {
    const type = types[i] as ColumnType
    const json = row[i] as Json
    cells.push(type.kind === 'media' ? json : cellFrom(json, type, where))
  }
  return cells
}

/** Texts of about a megabyte: a table can be larger than a string. */
function* batches(pieces: readonly string[]): Generator<string> {
  let text = ''
  for (const piece of pieces) {
    text += piece
    if (text.length < 2 ** 20) continue
    yield text
    text = ''
  }
  yield text
}

function noTable(path: string, why: string): ArtifactsError {
  return new ArtifactsError('ERR_INVALID_VALUE', `"${path}" is no table: ${why}.`, {
    hint: 'Read its bytes instead of its value: `artifacts cat REF PATH`.',
  })
}

function invalid(why: string): ArtifactsError {
  return new ArtifactsError('ERR_INVALID_VALUE', `The table can't be: ${why}.`)
}
