/**
 * Where the objects of a store are: every object of every pack that an operation named. A pack counts only if its file
 * is there with the size that the log says, which is looked up when the pack is first met: so an index that is behind
 * the disk never promises bytes that are gone, and what a lost pack held is stored again by the next commit.
 */
import { statSync } from 'node:fs'
import { type ArtifactsError, damaged } from '../../errors.ts'
import type { ObjectId } from '../../types.ts'
import { type Layout, packPath } from '../layout.ts'
import { ID_BYTES, readId } from '../object/id.ts'
import type { StoredObject } from '../object/pack-reader.ts'
import { type Connection, IndexDamageError } from './connection.ts'
import type { Source } from './state.ts'

/** Where an object's record is: what `readObject` takes, and the pack it is in. */
export interface Location extends StoredObject {
  readonly pack: ObjectId
}

/** A pack that an object was found in. */
export interface Holder {
  readonly pack: ObjectId
  /** False for one that was taken in before an operation names it. */
  readonly named: boolean
}

interface ObjectRow {
  readonly pack: number
  readonly offset: number
  readonly stored: number
  readonly raw: number
  readonly type: number
}

interface PackRow {
  readonly name: ObjectId
  readonly bytes: number
  readonly operation: number | null
  readonly state: string
}

const LOCATE = 'SELECT pack, offset, stored, raw, type FROM object WHERE id = ? ORDER BY pack'
const PACKS_OF = 'SELECT pack FROM object WHERE id = ? ORDER BY pack'
const PACK = 'SELECT name, bytes, operation, state FROM pack WHERE id = ?'

export class Objects {
  readonly #source: Source
  readonly #layout: Layout
  /** By row; null: its objects cannot be read. */
  readonly #packs = new Map<number, Holder | null>()
  /** Packs that no operation names yet, and whose objects count all the same; how often each was taken in. */
  readonly #admitted = new Map<ObjectId, number>()

  constructor(source: Source, layout: Layout) {
    this.#source = source
    this.#layout = layout
  }

  /** Where the object with this id (32 bytes) is; undefined when no pack that can be read has it. */
  locate(id: Buffer): Location | undefined {
    return this.locations(id)[0]
  }

  /** All places that have the object, for when one of them turns out to be damaged. */
  locations(id: Buffer): Location[] {
    return this.#source.read((connection) =>
      connection.all<ObjectRow>(LOCATE, id).flatMap((row) => {
        const holder = this.#readablePack(connection, row.pack)
        return holder === null ? [] : [toLocation(id, holder.pack, row)]
      }),
    )
  }

  has(id: Uint8Array): boolean {
    return this.holder(id) !== undefined
  }

  /** A pack that has the object; undefined when none has that can be read. */
  holder(id: Uint8Array): Holder | undefined {
    return this.#source.read((connection) => this.#holder(connection, id))
  }

  /** Looks up many ids, 32 bytes each; bit i (from the lowest of byte 0 on) says whether id i is there. */
  hasMany(ids: Uint8Array): Uint8Array<ArrayBuffer> {
    const count = ids.length / ID_BYTES
    if (!Number.isInteger(count)) throw new TypeError('Ids have 32 bytes each.')
    return this.#source.read((connection) => {
      const found = new Uint8Array(Math.ceil(count / 8))
      for (let i = 0; i < count; i++) {
        const id = ids.subarray(i * ID_BYTES, (i + 1) * ID_BYTES)
        if (this.#holder(connection, id) !== undefined)
          found[i >> 3] = (found[i >> 3] ?? 0) | (1 << (i & 7))
      }
      return found
    })
  }

  /** True when no object can be found: no operation has named a pack yet, and none was let in. */
  isEmpty(): boolean {
    if (this.#admitted.size > 0) return false
    return this.#source.read(
      (connection) =>
        connection.value('SELECT 1 FROM pack WHERE operation IS NOT NULL LIMIT 1') === undefined,
    )
  }

  /** True when every pack that the log names can be read, as far as its size and table tell. */
  areComplete(): boolean {
    return this.#source.read((connection) =>
      connection
        .all<{ id: number }>('SELECT id FROM pack WHERE operation IS NOT NULL AND dropped IS NULL')
        .every(({ id }) => this.#readablePack(connection, id) !== null),
    )
  }

  /** The error for an object that should be here and is not; it names the packs that cannot be read. */
  missing(id: ObjectId): ArtifactsError {
    const lost = this.#source.read((connection) =>
      connection
        .all<{ id: number; name: ObjectId }>(
          'SELECT id, name FROM pack WHERE operation IS NOT NULL AND dropped IS NULL',
        )
        .filter((pack) => this.#readablePack(connection, pack.id) === null)
        .map(({ name }) => packPath(this.#layout, name)),
    )
    const named = lost.slice(0, 10).map((path) => `"${path}"`)
    const more = lost.length > named.length ? ` and ${lost.length - named.length} more` : ''
    const why =
      lost.length === 0 ? '' : ` These packs are missing or damaged: ${named.join(', ')}${more}.`
    return damaged(`Object "${id}" is in no pack of this store.${why}`, {
      data: { object: id, packs: lost },
    })
  }

  /**
   * Lets objects be found in packs that are staged and that no operation names yet, until `dismiss`. Whoever relies on
   * such a pack names it, or looks at the end whether somebody has.
   */
  admit(packs: readonly ObjectId[]): void {
    for (const pack of packs) this.#admitted.set(pack, (this.#admitted.get(pack) ?? 0) + 1)
    this.forget()
  }

  dismiss(packs: readonly ObjectId[]): void {
    for (const pack of packs) {
      const count = this.#admitted.get(pack) ?? 0
      if (count > 1) this.#admitted.set(pack, count - 1)
      else this.#admitted.delete(pack)
    }
    this.forget()
  }

  /** Forgets what is known of packs: the log went on, or the index was built anew. */
  forget(): void {
    this.#packs.clear()
  }

  #holder(connection: Connection, id: Uint8Array): Holder | undefined {
    // Nearly every object is in one pack: the first row answers.
    const first = connection.value<number>(PACKS_OF, id)
    if (first === undefined) return undefined
    const holder = this.#readablePack(connection, first)
    if (holder !== null) return holder
    for (const { pack } of connection.all<{ pack: number }>(PACKS_OF, id)) {
      const other = this.#readablePack(connection, pack)
      if (other !== null) return other
    }
    return undefined
  }

  #readablePack(connection: Connection, pack: number): Holder | null {
    let holder = this.#packs.get(pack)
    if (holder === undefined) {
      holder = this.#lookAtPack(connection.get<PackRow>(PACK, pack))
      this.#packs.set(pack, holder)
    }
    return holder
  }

  #lookAtPack(row: PackRow | undefined): Holder | null {
    if (row === undefined || row.state !== 'present') return null
    const named = row.operation !== null
    if (!named && !this.#admitted.has(row.name)) return null
    const stat = statSync(packPath(this.#layout, row.name), { throwIfNoEntry: false })
    return stat?.size === row.bytes ? { pack: row.name, named } : null
  }
}

function toLocation(id: Buffer, pack: ObjectId, row: ObjectRow): Location {
  const { offset, stored, raw, type } = row
  if (![offset, stored, raw, type].every(isCount)) {
    throw new IndexDamageError(`The index has no place for object "${readId(id)}".`)
  }
  return { pack, id: readId(id), offset, stored, raw, type }
}

/** What was written is a number of 32 bits; a damaged row may hold anything. */
function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff_ffff
}
