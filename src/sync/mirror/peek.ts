/** Which versions a remote has, as far as its log was read: a look that asks nobody and needs no promise. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Connection, isIndexDamage } from '../../store/index/connection.ts'
import type { Opened } from '../../store/open.ts'
import type { ObjectId } from '../../types.ts'
import { databasePath, folderOf } from './folder.ts'
import { MARK } from './schema.ts'

export interface KnownVersions extends Disposable {
  /** Live or deleted. */
  has(version: ObjectId): boolean
  /** When the remote was asked last. */
  readonly asOf: Date | undefined
}

/** A mirror that is not there, or can't be used, knows of no version. */
export function knownVersions(opened: Opened, store: string): KnownVersions {
  const connection = tryOpen(databasePath(opened, store))
  return {
    has: (version) =>
      connection?.value('SELECT 1 FROM version WHERE id = ?', version) !== undefined,
    asOf: statSync(join(folderOf(opened, store), 'format.json'), { throwIfNoEntry: false })?.mtime,
    [Symbol.dispose]: () => connection?.close(),
  }
}

function tryOpen(path: string): Connection | undefined {
  if (!existsSync(path)) return undefined
  let connection: Connection | undefined
  try {
    connection = new Connection(path)
    if (connection.value<number>('PRAGMA user_version') === MARK) return connection
  } catch (error) {
    if (!isIndexDamage(error)) throw error
  }
  connection?.close()
  return undefined
}
