/** Where a store keeps what it knows of a remote (docs/remote.md section 8). */
import { join } from 'node:path'
import { databaseDirectory } from '../../store/index/place.ts'
import type { Opened } from '../../store/open.ts'

export function folderOf({ layout }: Pick<Opened, 'layout'>, store: string): string {
  return join(layout.remotes, store)
}

/** The database of the mirror; its folder is made. */
export function databasePath(opened: Opened, store: string): string {
  return databaseNamed(opened, store, 'mirror')
}

/** The database of an earlier state; its folder is made. */
export function pastPath(opened: Opened, store: string): string {
  return databaseNamed(opened, store, 'past')
}

function databaseNamed(opened: Opened, store: string, name: string): string {
  const { io, layout, id, cacheDir } = opened
  const directory = databaseDirectory(io, layout.root, id, cacheDir)
  if (directory === undefined) return ':memory:'
  if (directory !== layout.root) return join(directory, `${name}-${store}.db`)
  io.mkdir(folderOf(opened, store), { recursive: true })
  return join(folderOf(opened, store), `${name}.db`)
}
