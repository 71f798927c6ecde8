/**
 * Takes up what packs hold: their tables of contents become rows of the index. A pack that is missing or damaged is
 * noted as such and tried again when the store is opened next; everything else stays usable.
 */
import { ArtifactsError, isSystemError } from '../../errors.ts'
import type { ObjectId } from '../../types.ts'
import { type Layout, packPath } from '../layout.ts'
import type { Change } from '../log/change.ts'
import type { JoiningPack } from '../log/operation.ts'
import { ID_BYTES } from '../object/id.ts'
import { entryOffset, type PackTable, tableEntries } from '../object/pack.ts'
import { readTable } from '../object/pack-reader.ts'
import { type Connection, IndexDamageError } from './connection.ts'
import { RuleError } from './rules.ts'

export interface PackProblem {
  readonly pack: ObjectId
  readonly path: string
  readonly state: 'missing' | 'damaged'
}

/** A pack that is written, and that no operation names yet. */
export interface StagedPack {
  readonly pack: Pick<JoiningPack, 'id' | 'bytes' | 'kind'>
  readonly table: PackTable
}

/** A pack's table, and its row. */
interface RowTable {
  readonly pack: number
  readonly table: PackTable
}

interface PackRow {
  readonly id: number
  readonly operation: number | null
  readonly state: string
}

export interface JoinContext {
  readonly layout: Layout
  readonly onPackProblem: (problem: PackProblem) => void
}

/** Bounds the tables that are in memory together. */
const TABLE_BYTES_AT_ONCE = 4 << 20

const FIND = 'SELECT id, operation, state FROM pack WHERE name = ?'

/** Applies that operation `n` names these packs. */
export function joinPacks(
  connection: Connection,
  context: JoinContext,
  packs: readonly JoiningPack[],
  n: number,
): void {
  let tables: RowTable[] = []
  let bytes = 0
  for (const pack of packs) {
    const table = joinPack(connection, context, pack, n)
    if (table === undefined) continue
    tables.push(table)
    bytes += table.table.bytes.length
    if (bytes < TABLE_BYTES_AT_ONCE) continue
    insertObjects(connection, tables)
    tables = []
    bytes = 0
  }
  insertObjects(connection, tables)
}

/** Returns the table whose objects are still to be taken up, if it can be read. */
function joinPack(
  connection: Connection,
  context: JoinContext,
  pack: JoiningPack,
  n: number,
): RowTable | undefined {
  const row = connection.get<PackRow>(FIND, pack.id)
  if (row?.state === 'dropped') throw new RuleError(n, `pack "${pack.id}" joins again`)
  if (row?.state === 'present') {
    connection.run('UPDATE pack SET operation = ifnull(operation, ?) WHERE id = ?', n, row.id)
    return undefined
  }
  const path = packPath(context.layout, pack.id)
  const table = readState(path)
  const state = typeof table === 'string' ? table : 'present'
  if (typeof table === 'string') context.onPackProblem({ pack: pack.id, path, state: table })
  const id = row?.id ?? insertPack(connection, pack, n, state)
  connection.run(
    'UPDATE pack SET state = ?, operation = ifnull(operation, ?) WHERE id = ?',
    state,
    n,
    id,
  )
  return typeof table === 'string' ? undefined : { pack: id, table }
}

/** Forgets the objects of packs that changes drop. Their rows are found by their tables, else by a look at every row. */
export function forgetDropped(
  connection: Connection,
  layout: Layout,
  changes: readonly Change[],
): void {
  const unread: number[] = []
  const forget = connection.statement('DELETE FROM object WHERE id = ? AND pack = ?')
  for (const change of changes) {
    if (change.kind !== 'packs.drop') continue
    for (const { id } of change.packs) {
      const row = connection.get<PackRow>(FIND, id)
      if (row?.state !== 'present') continue
      const table = readState(packPath(layout, id))
      if (typeof table === 'string') unread.push(row.id)
      else for (const { id: object } of tableEntries(table)) forget.run(object, row.id)
    }
  }
  if (unread.length === 0) return
  connection.run(
    'DELETE FROM object WHERE pack IN (SELECT value FROM json_each(?))',
    JSON.stringify(unread),
  )
}

/** The problems of packs that still are in the store. */
export function standing(connection: Connection, problems: readonly PackProblem[]): PackProblem[] {
  return problems.filter(({ pack }) => connection.get<PackRow>(FIND, pack)?.state !== 'dropped')
}

/** Takes up packs before any operation names them, so that this need not be done when one does. */
export function stagePacks(connection: Connection, packs: readonly StagedPack[]): void {
  connection.write(() => {
    const fresh = packs.filter(({ pack }) => connection.get(FIND, pack.id) === undefined)
    const tables = fresh.map(({ pack, table }) => ({
      pack: insertPack(connection, pack, null, 'present'),
      table,
    }))
    insertObjects(connection, tables)
  })
}

/** Takes up the tables of packs that an operation has named and that could not be read until now. In a transaction. */
export function takeTables(connection: Connection, tables: ReadonlyMap<ObjectId, PackTable>): void {
  const taken: RowTable[] = []
  for (const [id, table] of tables) {
    const row = connection.get<PackRow>(FIND, id)
    if (row?.state !== 'missing') continue
    connection.run("UPDATE pack SET state = 'present' WHERE id = ?", row.id)
    taken.push({ pack: row.id, table })
  }
  insertObjects(connection, taken)
}

/** Tries the packs again that could not be read. */
export function rereadPacks(connection: Connection, layout: Layout): void {
  const rows = connection.all<{ id: number; name: ObjectId }>(
    "SELECT id, name FROM pack WHERE state IN ('missing', 'damaged')",
  )
  for (const { id, name } of rows) {
    const table = readState(packPath(layout, name))
    if (typeof table === 'string') continue
    connection.write(() => {
      connection.run("UPDATE pack SET state = 'present' WHERE id = ?", id)
      insertObjects(connection, [{ pack: id, table }])
    })
  }
}

interface Totals {
  readonly name: ObjectId
  readonly objects: number
  readonly sum: number
}

const TOTALS = `
SELECT name, count(object.pack) AS objects, ifnull(sum(offset + stored + raw + type), 0) AS sum
FROM pack LEFT JOIN object ON object.pack = pack.id
WHERE state = 'present' AND operation IS NOT NULL GROUP BY pack.id`

/** Throws an IndexDamageError when the rows of a pack's objects are not those of its table. */
export function comparePacks(connection: Connection, layout: Layout): void {
  for (const { name, objects, sum } of connection.all<Totals>(TOTALS)) {
    const table = readState(packPath(layout, name))
    if (typeof table === 'string') continue
    let expected = 0
    for (const { offset, stored, raw, type } of tableEntries(table)) {
      expected += offset + stored + raw + type
    }
    if (objects !== table.count || sum !== expected) {
      throw new IndexDamageError(`The index does not have the objects of pack "${name}".`)
    }
  }
}

function readState(path: string): PackTable | PackProblem['state'] {
  try {
    return readTable(path)
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 'missing'
    const isDamage = error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
    if (isDamage || isSystemError(error, 'EIO', 'EISDIR')) return 'damaged'
    throw error
  }
}

function insertPack(
  connection: Connection,
  pack: StagedPack['pack'],
  n: number | null,
  state: string,
): number {
  return connection.run(
    'INSERT INTO pack (name, bytes, kind, operation, state) VALUES (?, ?, ?, ?, ?)',
    pack.id,
    pack.bytes,
    pack.kind,
    n,
    state,
  )
}

/** Inserts the objects of several packs by ascending id, so that neighbours fall into the same pages: a merge of the tables. */
function insertObjects(connection: Connection, tables: readonly RowTable[]): void {
  const insert = connection.statement('INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?)')
  const next = new Uint32Array(tables.length)
  // The beginning of the next id of each table is enough to go by.
  const heads = Float64Array.from(tables, ({ table }) => headOf(table, 0))
  for (;;) {
    let least = 0
    for (let i = 1; i < heads.length; i++) {
      if ((heads[i] as number) < (heads[least] as number)) least = i
    }
    const source = tables[least]
    if (source === undefined || heads[least] === Number.POSITIVE_INFINITY) return
    const index = next[least] as number
    const { bytes } = source.table
    const at = entryOffset(index)
    insert.run(
      bytes.subarray(at, at + ID_BYTES),
      source.pack,
      bytes.readUInt32LE(at + 32),
      bytes.readUInt32LE(at + 36),
      bytes.readUInt32LE(at + 40),
      bytes[at + 44],
    )
    next[least] = index + 1
    heads[least] = headOf(source.table, index + 1)
  }
}

function headOf({ bytes, count }: PackTable, index: number): number {
  return index < count ? bytes.readUInt32BE(entryOffset(index)) : Number.POSITIVE_INFINITY
}
