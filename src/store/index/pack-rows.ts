/** What the index knows of packs: which are named, small, or dropped. */
import type { ObjectId } from '../../types.ts'
import type { PackKind } from '../log/operation.ts'
import type { Source } from './state.ts'

/** Packs below this size are small: many of them are merged. As in the index `pack_small`. */
export const SMALL_PACK_BYTES = 1_048_576

/** A pack that an operation named and none dropped. */
export interface NamedPack {
  /** Number of its row, in this database; never another pack's. */
  readonly row: number
  readonly id: ObjectId
  readonly bytes: number
  readonly kind: PackKind
  readonly state: 'present' | 'missing' | 'damaged'
}

const COLUMNS = 'SELECT id AS row, name AS id, bytes, kind, state FROM pack'

/** In the order in which they were met. */
export function namedPacks(source: Source): NamedPack[] {
  return source.read((connection) =>
    connection.all<NamedPack>(
      `${COLUMNS} WHERE operation IS NOT NULL AND dropped IS NULL ORDER BY pack.id`,
    ),
  )
}

/** Those under `SMALL_PACK_BYTES` that could be read, in the order in which they were met. */
export function smallPacks(source: Source): NamedPack[] {
  return source.read((connection) =>
    connection.all<NamedPack>(
      `${COLUMNS} INDEXED BY pack_small WHERE state = 'present' AND operation IS NOT NULL ` +
        'AND bytes < 1048576 ORDER BY pack.id',
    ),
  )
}

export function isDropped(source: Source, id: string): boolean {
  return source.read(
    (connection) =>
      connection.value('SELECT 1 FROM pack WHERE name = ? AND dropped IS NOT NULL', id) !==
      undefined,
  )
}

/** The ids of all packs that were ever dropped, 32 bytes each: for threads that cannot ask. */
export function droppedIds(source: Source): Buffer {
  return source.read((connection) => {
    const rows = connection.all<{ name: string }>('SELECT name FROM pack WHERE dropped IS NOT NULL')
    const ids = Buffer.allocUnsafe(rows.length * 32)
    for (const [index, { name }] of rows.entries()) ids.write(name, index * 32, 'hex')
    return ids
  })
}
