/**
 * Where the leaves of trees lie that were pushed: in which packs of the remote they and all that their entries name are. A
 * version shares most of its leaves with the one before, and so the next push looks through those that are new.
 */
import type { Connection } from '../../store/index/connection.ts'
import type { ObjectId } from '../../types.ts'

/** Undefined where it was not noted, or one of the packs is dropped. */
export function leafIn(connection: Connection, id: Uint8Array): ObjectId[] | undefined {
  const rows = connection.value<Uint8Array>('SELECT packs FROM leaf WHERE id = ?', id)
  if (rows === undefined) return undefined
  const view = Buffer.from(rows.buffer, rows.byteOffset, rows.length)
  const packs: ObjectId[] = []
  for (let at = 0; at < view.length; at += 4) {
    const name = connection.value<ObjectId>(PACK, view.readUInt32LE(at))
    if (name === undefined) return undefined
    packs.push(name)
  }
  return packs
}

/** In a transaction. A leaf with a pack that the log does not name is passed over. */
export function noteLeaves(
  connection: Connection,
  leaves: ReadonlyMap<ObjectId, ReadonlySet<ObjectId>>,
): void {
  for (const [id, packs] of leaves) {
    const rows = [...packs].map((pack) => connection.value<number>(ROW, pack))
    if (!rows.every((row) => row !== undefined)) continue
    const bytes = Buffer.from(Uint32Array.from(rows).buffer)
    connection.run('INSERT OR REPLACE INTO leaf VALUES (?, ?)', Buffer.from(id, 'hex'), bytes)
  }
}

const PACK = "SELECT name FROM pack WHERE id = ? AND state = 'present'"
const ROW = "SELECT id FROM pack WHERE name = ? AND state = 'present'"
