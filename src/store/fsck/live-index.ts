/** The store's own index as it lies there: opened without mending, so that what is wrong with it can be told. */
import { basename, dirname, join } from 'node:path'
import type { ObjectId } from '../../types.ts'
import type { Connection } from '../index/connection.ts'
import { openNamed, type RebuildReason } from '../index/database.ts'
import { readPointer } from '../index/file.ts'
import { databaseDirectory } from '../index/place.ts'
import type { Examination } from './examination.ts'

export class LiveIndex {
  /** Why there is none: `none` where databases are kept in memory. */
  readonly reason: RebuildReason | 'none' | undefined
  /** The database; or the pointer, where it names none. */
  readonly file: string | undefined
  /** The file that names the database. */
  readonly pointer: string | undefined
  #connection: Connection | undefined

  static open({ io, layout, identity, cacheDir }: Examination): LiveIndex {
    const directory = databaseDirectory(io, layout.root, identity.id, cacheDir)
    if (directory === undefined) return new LiveIndex('none')
    const name = readPointer(directory)
    const pointer = join(directory, 'index')
    const file = name === undefined ? pointer : join(directory, name)
    return new LiveIndex(openNamed(directory, name, identity), file, pointer)
  }

  private constructor(
    opened: Connection | RebuildReason | 'none',
    file?: string,
    pointer?: string,
  ) {
    this.#connection = typeof opened === 'string' ? undefined : opened
    this.reason = typeof opened === 'string' ? opened : undefined
    this.file = file
    this.pointer = pointer
  }

  /** Undefined where there is none, or none that can be believed. */
  get connection(): Connection | undefined {
    return this.#connection
  }

  /** Whether another one counts by now. */
  isReplaced(): boolean {
    if (this.pointer === undefined || this.file === undefined) return false
    const name = readPointer(dirname(this.pointer))
    return name !== undefined && name !== basename(this.file)
  }

  /** Packs that held the object when the index took them up. */
  packsOf(id: Buffer): readonly ObjectId[] {
    const rows = this.#connection?.all<{ name: ObjectId }>(
      `SELECT name FROM object JOIN pack ON pack.id = object.pack
       WHERE object.id = ? AND operation IS NOT NULL`,
      id,
    )
    return (rows ?? []).map(({ name }) => name)
  }

  close(): void {
    this.#connection?.close()
    this.#connection = undefined
  }
}
