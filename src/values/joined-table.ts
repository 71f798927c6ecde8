/** Two tables of an artifact, joined where a column of one equals a column of the other. */
import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { ArtifactsError } from '../errors.ts'
import type { Cell } from './cells.ts'
import { jsonText } from './json-text.ts'
import { kindOf, pathFor } from './kinds.ts'
import { Media } from './media.ts'
import type { Attachments } from './media-file.ts'
import { decodePartitionedTable, notRead, PartitionedTable } from './partitioned-table.ts'
import { decodeTable, encodeTable, Table } from './table.ts'
import { readJson, type ValueSource } from './value-files.ts'

/** A table, the path of one in the same artifact, or the entry of another version. */
export type JoinedSide = Table | PartitionedTable | string | { readonly url: string }

export type JoinedRow = readonly [left: readonly Cell[], right: readonly Cell[]]

export class JoinedTable {
  readonly left: JoinedSide
  readonly right: JoinedSide
  /** The column that both have, or one of each. */
  readonly on: string | readonly [left: string, right: string]
  readonly #files: ValueSource | undefined

  /** @param files absent until it is read from a version or draft, which has the tables. */
  constructor(left: JoinedSide, right: JoinedSide, on: JoinedTable['on'], files?: ValueSource) {
    this.left = left
    this.right = right
    this.on = on
    this.#files = files
  }

  /**
   * Every pair of rows whose keys are equal, in the order of the left table; null equals nothing. The right table is
   * held in memory.
   */
  async *rows(): AsyncGenerator<JoinedRow> {
    const [leftKey, rightKey] = typeof this.on === 'string' ? [this.on, this.on] : this.on
    const matches = new Map<string, (readonly Cell[])[]>()
    for await (const { key, row } of keyedRows(await this.#table(this.right), rightKey)) {
      const found = matches.get(key)
      if (found === undefined) matches.set(key, [row])
      else found.push(row)
    }
    for await (const { key, row } of keyedRows(await this.#table(this.left), leftKey)) {
      for (const match of matches.get(key) ?? []) yield [row, match]
    }
  }

  async #table(side: JoinedSide): Promise<Table | PartitionedTable> {
    if (side instanceof Table || side instanceof PartitionedTable) return side
    if (typeof side !== 'string' || this.#files === undefined)
      throw notRead('rows of a joined table')
    return kindOf(side) === 'partitioned-table'
      ? decodePartitionedTable(this.#files, side)
      : decodeTable(this.#files, side)
  }
}

/** The bytes of the document; tables that are given whole, or by an entry, are added. */
export async function encodeJoinedTable(
  { left, right, on }: JoinedTable,
  path: string,
  to: Attachments,
): Promise<Uint8Array> {
  const sides = [addSide(left, path, to), addSide(right, path, to)] as const
  const [table1, table2] = await Promise.all(sides)
  const join_key = typeof on === 'string' ? on : [...on]
  const document = { _type: 'joined-table', table1, table2, join_key }
  return Buffer.from(`${jsonText(document, path)}\n`)
}

/** @throws ArtifactsError ERR_INVALID_VALUE. */
export async function decodeJoinedTable(source: ValueSource, path: string): Promise<JoinedTable> {
  const json = await readJson(source, path)
  if (!v.is(DOCUMENT, json)) {
    throw new ArtifactsError('ERR_INVALID_VALUE', `"${path}" names no two tables and their key.`)
  }
  return new JoinedTable(json.table1, json.table2, json.join_key, source)
}

const DOCUMENT = v.object({
  _type: v.literal('joined-table'),
  table1: v.string(),
  table2: v.string(),
  join_key: v.union([v.string(), v.tuple([v.string(), v.string()])]),
})

async function addSide(side: JoinedSide, path: string, to: Attachments): Promise<string> {
  if (typeof side === 'string') return pathFor(side, ['table', 'partitioned-table'])
  if (side instanceof PartitionedTable) {
    throw new ArtifactsError('ERR_INVALID_VALUE', `"${path}" joins a partitioned table by value.`, {
      hint: 'Add the partitioned table to the artifact, and give its path.',
    })
  }
  if (side instanceof Table) {
    const bytes = await encodeTable(side, path, to)
    const name = `media/tables/${shortHash(bytes)}.table.json`
    to.add({ path: name, bytes })
    return name
  }
  const name = `media/tables/${shortHash(side.url)}.table.json`
  to.add({ path: name, url: side.url, from: side })
  return name
}

function shortHash(of: string | Uint8Array): string {
  return createHash('sha256').update(of).digest('hex').slice(0, 20)
}

async function* keyedRows(
  table: Table | PartitionedTable,
  column: string,
): AsyncGenerator<{ readonly key: string; readonly row: readonly Cell[] }> {
  if (table instanceof Table) {
    yield* keyed(table, column)
    return
  }
  for await (const part of table.parts()) yield* keyed(part.table, column)
}

function* keyed(
  { columns, data }: Table,
  column: string,
): Generator<{ readonly key: string; readonly row: readonly Cell[] }> {
  const at = columns.indexOf(column)
  if (at < 0) {
    throw new ArtifactsError('ERR_INVALID_VALUE', `A joined table has no column "${column}".`, {
      hint: `Its columns are: ${columns.join(', ')}.`,
    })
  }
  for (const row of data) {
    const key = keyOf(row[at] as Cell)
    if (key !== undefined) yield { key, row }
  }
}

/** Equal texts for equal cells; a bigint equals the number that is as large. */
function keyOf(cell: Cell): string | undefined {
  if (cell === null || Number.isNaN(cell)) return undefined
  if (typeof cell === 'number' || typeof cell === 'bigint') return `number ${BigIntOr(cell)}`
  if (cell instanceof Date) return `date ${cell.getTime()}`
  if (cell instanceof Media) {
    throw new ArtifactsError('ERR_INVALID_VALUE', "Tables can't be joined on a column of media.")
  }
  return jsonText(cell, 'key')
}

function BigIntOr(cell: number | bigint): string {
  return Number.isInteger(cell) ? String(BigInt(cell)) : String(cell)
}
