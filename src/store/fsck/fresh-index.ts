/**
 * An index made from the log and the packs for one examination, in a file that goes with it: what the store's own index
 * should be, and, once damaged records are taken out, where every object can really be read.
 */
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import type { ObjectId } from '../../types.ts'
import { Connection, isNoSpace } from '../index/connection.ts'
import { createTables, type StoreIdentity } from '../index/database.ts'
import { joinPacks, rereadPacks } from '../index/packs.ts'
import { databaseDirectory } from '../index/place.ts'
import { catchUp, readHead } from '../index/refresh.ts'
import type { StateView } from '../index/state.ts'
import { stateView } from '../index/state-view.ts'
import type { Io } from '../io/io.ts'
import { type Layout, packPath, temporaryName } from '../layout.ts'
import { asKind, KIND_NAMES, type ObjectKind, readId } from '../object/id.ts'
import { kindOf } from '../object/pack.ts'
import { readObject, type StoredObject } from '../object/pack-reader.ts'

/** A pack that the log names and has not dropped. */
export interface NamedPack {
  readonly row: number
  readonly name: ObjectId
  /** As the log says; undefined where the operation that said so is lost. */
  readonly bytes: number | undefined
  readonly state: 'present' | 'missing' | 'damaged'
}

export interface FreshPlace extends StoredObject {
  readonly row: number
  readonly pack: ObjectId
}

/** Records that can't be read, beside the tables of an index. */
const BAD = `
CREATE TABLE bad (
  id BLOB NOT NULL,
  pack INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  PRIMARY KEY (id, pack)
) STRICT, WITHOUT ROWID;
CREATE INDEX bad_pack ON bad (pack);
`
const PLACES = `
SELECT pack.id AS row, pack.name AS name, offset, stored, raw, type FROM object JOIN pack ON pack.id = object.pack
WHERE object.id = ? ORDER BY pack`
const OPEN_PACKS = 16
const UNKNOWN = -1

export class FreshIndex {
  readonly connection: Connection
  readonly state: StateView
  /** Told of records that prove to be damaged when they are read. */
  onBad: (place: FreshPlace, why: string) => void = () => {}
  readonly #io: Io
  readonly #layout: Layout
  readonly #file: string | undefined
  readonly #open = new Map<ObjectId, number>()

  /** An empty one, in `tmp/`, else in the cache folder, else in memory. */
  static create(
    io: Io,
    layout: Layout,
    identity: StoreIdentity,
    cacheDir: string | undefined,
  ): FreshIndex {
    const place = databaseDirectory(io, layout.root, identity.id, cacheDir)
    const directory = place === layout.root ? layout.tmp : place
    if (directory !== undefined) {
      try {
        io.mkdir(directory, { recursive: true })
        return new FreshIndex(io, layout, identity, join(directory, temporaryName()))
      } catch (error) {
        if (!isNoSpace(error)) throw error
      }
    }
    return new FreshIndex(io, layout, identity, undefined)
  }

  private constructor(io: Io, layout: Layout, identity: StoreIdentity, file: string | undefined) {
    this.#io = io
    this.#layout = layout
    this.#file = file
    this.connection =
      file === undefined
        ? new Connection(':memory:')
        : new Connection(file, { create: true, build: true })
    this.state = stateView(this)
    try {
      // Nobody else opens it; without locks a lookup takes half the time.
      this.connection.execute('PRAGMA main.locking_mode = EXCLUSIVE')
      createTables(this.connection, identity)
      this.connection.execute(BAD)
    } catch (error) {
      this.close()
      throw error
    }
  }

  read<T>(query: (connection: Connection) => T): T {
    return query(this.connection)
  }

  /** Takes up what has come to the log; whether anything has. Only where all of the log could be read. */
  catchUp(): boolean {
    const { applied } = readHead(this.connection)
    catchUp(this.connection, { layout: this.#layout, onPackProblem: () => {} })
    return readHead(this.connection).applied > applied
  }

  packs(): readonly NamedPack[] {
    return this.connection
      .all<NamedPack & { readonly bytes: number }>(
        `SELECT id AS row, name, bytes, state FROM pack
         WHERE operation IS NOT NULL AND state <> 'dropped' ORDER BY operation, id`,
      )
      .map((pack) => (pack.bytes === UNKNOWN ? { ...pack, bytes: undefined } : pack))
  }

  /** Takes up a pack that a lost operation may have named, if it can be read. */
  adopt(name: ObjectId, operation: number): void {
    const { connection } = this
    if (connection.value('SELECT 1 FROM pack WHERE name = ?', name) !== undefined) return
    const pack = { id: name, bytes: 0, kind: 'data', toc: [8, 8] } as const
    connection.write(() => {
      joinPacks(connection, { layout: this.#layout, onPackProblem: () => {} }, [pack], operation)
      connection.run('UPDATE pack SET bytes = ? WHERE name = ?', UNKNOWN, name)
      connection.run("DELETE FROM pack WHERE name = ? AND state <> 'present'", name)
    })
  }

  setState(row: number, state: NamedPack['state'] | 'dropped'): void {
    this.connection.run('UPDATE pack SET state = ? WHERE id = ?', state, row)
  }

  /** Forgets the objects of packs that can't be read. */
  forgetUnreadable(): void {
    this.connection.run(
      "DELETE FROM object WHERE pack IN (SELECT id FROM pack WHERE state <> 'present')",
    )
  }

  /** Takes up packs whose files were put right. */
  takeAgain(rows: readonly number[]): void {
    for (const row of rows) {
      this.connection.run('DELETE FROM bad WHERE pack = ?', row)
      this.connection.run('DELETE FROM object WHERE pack = ?', row)
      this.setState(row, 'missing')
    }
    this.#closePacks()
    if (rows.length > 0) rereadPacks(this.connection, this.#layout)
  }

  /** Forgets a pack that another one stands in for. */
  replace({ row }: NamedPack, into: ObjectId | undefined, operation: number): void {
    this.setState(row, 'dropped')
    this.connection.run('DELETE FROM object WHERE pack = ?', row)
    if (into !== undefined) this.adopt(into, operation)
  }

  /** From now on the object is not in this pack. */
  markBad(row: number, id: Uint8Array, offset: number): void {
    this.connection.run('INSERT OR REPLACE INTO bad VALUES (?, ?, ?)', id, row, offset)
    this.connection.run('DELETE FROM object WHERE id = ? AND pack = ?', id, row)
  }

  /** The packs in which the object stands, but can't be read. */
  badPacksOf(id: Buffer): readonly ObjectId[] {
    return this.connection
      .all<{ name: ObjectId }>(
        'SELECT name FROM bad JOIN pack ON pack.id = bad.pack WHERE bad.id = ?',
        id,
      )
      .map(({ name }) => name)
  }

  /** What is known of an object that can be read. */
  find(id: Buffer): { readonly raw: number; readonly type: number } | undefined {
    return this.connection.get('SELECT raw, type FROM object WHERE id = ?', id)
  }

  /** All places where the object can be read, as far as is known. */
  places(id: Buffer): readonly FreshPlace[] {
    return this.connection
      .all<{
        row: number
        name: ObjectId
        offset: number
        stored: number
        raw: number
        type: number
      }>(PLACES, id)
      .map(({ name, ...place }) => ({ ...place, pack: name, id: readId(id) }))
  }

  /** The object's bytes, verified; or why there are none. What proves to be damaged is marked. */
  readObject(kind: ObjectKind, id: ObjectId): Uint8Array | string {
    const key = Buffer.from(id, 'hex')
    let why: string | undefined
    for (const place of this.places(key)) {
      const stored = kindOf(place.type)
      try {
        const bytes = readObject(this.#openPack(place.pack), stored, place)
        return asKind(bytes, stored, kind) ?? `Object "${id}" is a ${KIND_NAMES[stored]}.`
      } catch (error) {
        const isDamage = error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
        if (!isDamage && !isSystemError(error, 'ENOENT', 'EIO')) throw error
        why ??= error.message
        // A file that is gone may have been dropped.
        if (!isDamage) continue
        this.markBad(place.row, key, place.offset)
        this.onBad(place, error.message)
      }
    }
    return why ?? `Object "${id}" is in no pack that can be read.`
  }

  close(): void {
    this.#closePacks()
    this.connection.close()
    if (this.#file === undefined) return
    try {
      this.#io.unlink(this.#file)
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error
    }
  }

  #closePacks(): void {
    for (const fd of this.#open.values()) closeSync(fd)
    this.#open.clear()
  }

  #openPack(pack: ObjectId): number {
    const known = this.#open.get(pack)
    if (known !== undefined) return known
    if (this.#open.size === OPEN_PACKS) {
      const [oldest, fd] = this.#open.entries().next().value as [ObjectId, number]
      closeSync(fd)
      this.#open.delete(oldest)
    }
    const fd = openSync(packPath(this.#layout, pack), 'r')
    this.#open.set(pack, fd)
    return fd
  }
}
