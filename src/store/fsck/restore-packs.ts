/**
 * Takes what is left of damaged packs to where it can be read: back under the pack's own name where all of it is left,
 * else into a new pack. The damaged files stay in quarantine; under `packs/` they stay until the log has dropped them.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { ObjectId } from '../../types.ts'
import type { Location } from '../index/objects.ts'
import type { WrittenPack } from '../ingest/protocol.ts'
import { packPath, temporaryName } from '../layout.ts'
import { LogReader } from '../log/log-reader.ts'
import type { Codec } from '../object/compression.ts'
import {
  codecOf,
  kindOf,
  MAX_PACK_BYTES,
  type PackEntry,
  RECORD_HEADER_BYTES,
} from '../object/pack.ts'
import { PackWriter, publish } from '../object/pack-writer.ts'
import type { Examination } from './examination.ts'
import type { NamedPack } from './fresh-index.ts'
import type { Quarantine } from './quarantine.ts'
import {
  idByTable,
  type RememberedPlace,
  readDamagedFile,
  type Salvaged,
  type SalvageSources,
  type SoundRecord,
  salvagePack,
} from './salvage-pack.ts'

/** A pack that leaves the store, and what took in what could be read of it. */
export interface Replaced {
  readonly pack: NamedPack
  readonly into: WrittenPack | undefined
  /** Objects that went into the new pack. */
  readonly records: number
}

export interface RestoreOptions {
  /** Whether somebody needs an object that can't be read. */
  readonly isWanted: (id: Buffer) => boolean
  readonly isDropped: (id: string) => boolean
}

export class PackRestorer {
  readonly #examination: Examination
  readonly #quarantine: Quarantine
  readonly #options: RestoreOptions
  /** Damaged files by the id that their table gives them: two packs may have changed names. */
  readonly #misnamed = new Map<ObjectId, string>()
  readonly #kept = new Map<ObjectId, string>()
  #buffer: Buffer | undefined

  /** Puts the damaged packs in quarantine too; from there they are read. */
  constructor(
    examination: Examination,
    damaged: readonly NamedPack[],
    quarantine: Quarantine,
    options: RestoreOptions,
  ) {
    this.#examination = examination
    this.#quarantine = quarantine
    this.#options = options
    for (const { name } of damaged) this.#keep(name)
  }

  /** Gives the pack back its bytes, or moves what is left of it; says which. */
  async restore(pack: NamedPack): Promise<'restored' | Replaced> {
    const { layout, io } = this.#examination
    const { whole, records } = this.#salvage(pack)
    if (whole === undefined) return this.#replace(pack, records)
    const tmp = join(layout.tmp, temporaryName())
    io.writeFileAtomic(packPath(layout, pack.name), whole, { durable: true, tmp })
    return 'restored'
  }

  /** Copies all records of a sound pack to a new one, under another id. What proves unsound is kept as it is, too. */
  async copy(pack: NamedPack): Promise<Replaced> {
    this.#keep(pack.name)
    const bytes = this.#read(packPath(this.#examination.layout, pack.name))
    return this.#replace(pack, this.#salvageFrom(bytes, pack, false).records)
  }

  #keep(name: ObjectId): void {
    const kept = this.#quarantine.keep(packPath(this.#examination.layout, name))
    if (kept === undefined) return
    const id = idByTable(kept)
    if (id !== undefined && id !== name && this.#isNamed(id)) this.#misnamed.set(id, kept)
    this.#kept.set(name, kept)
  }

  /** Overwritten by the next call. */
  #read(file: string): Buffer {
    this.#buffer ??= Buffer.allocUnsafeSlow(MAX_PACK_BYTES)
    return readDamagedFile(file, this.#buffer)
  }

  #isNamed(id: ObjectId): boolean {
    const { connection } = this.#examination.fresh
    const sql = 'SELECT 1 FROM pack WHERE name = ? AND operation IS NOT NULL'
    return connection.value(sql, id) !== undefined
  }

  #salvage(pack: NamedPack): Salvaged {
    const other = this.#misnamed.get(pack.name)
    const own = this.#kept.get(pack.name)
    const isAnother = own !== undefined && [...this.#misnamed.values()].includes(own)
    const file = other ?? (isAnother ? undefined : own)
    return file === undefined ? { records: [] } : this.#salvageFrom(this.#read(file), pack, true)
  }

  #salvageFrom(bytes: Buffer, pack: NamedPack, mayRestore: boolean): Salvaged {
    const sources: SalvageSources = {
      toc: this.#tocOf(pack),
      places: () => this.#remembered(pack.name),
      isWanted: this.#options.isWanted,
      duplicate: (entry) => this.#duplicate(entry, pack.name),
      mayRestore,
    }
    return salvagePack(bytes, pack.name, sources)
  }

  async #replace(pack: NamedPack, records: readonly SoundRecord[]): Promise<Replaced> {
    if (records.length === 0) return { pack, into: undefined, records: 0 }
    const { io, layout } = this.#examination
    const temporary = join(layout.tmp, temporaryName())
    const writer = new PackWriter(io, temporary)
    try {
      for (const { id, type, raw, payload } of records) {
        const [kind, codec] = [kindOf(type), codecOf(type) as Codec]
        writer.append({ kind, codec, id, stored: payload, rawLength: raw })
      }
      // The same records would give the same id, and that one is about to be dropped.
      const { isDropped } = this.#options
      const { id, bytes, kind, toc } = await writer.finish(
        (each) => each === pack.name || isDropped(each),
      )
      publish(io, temporary, packPath(layout, id))
      const into = {
        id: id as ObjectId,
        bytes,
        kind: this.#isIndex(pack) ? 'index' : kind,
        toc,
      } as const
      return { pack, into, records: records.length }
    } catch (error) {
      writer.abort()
      throw error
    }
  }

  /** What is made of an index pack is one. */
  #isIndex({ name }: NamedPack): boolean {
    const { connection } = this.#examination.fresh
    return connection.value('SELECT kind FROM pack WHERE name = ?', name) === 'index'
  }

  /** Where the log says that the pack's table lies. */
  #tocOf({ name }: NamedPack): SalvageSources['toc'] {
    const { fresh, layout } = this.#examination
    const n = fresh.connection.value<number>('SELECT operation FROM pack WHERE name = ?', name)
    using reader = new LogReader(layout)
    const entry = n === undefined ? undefined : reader.read(n, undefined)
    if (entry?.kind !== 'operation') return undefined
    return entry.operation.packs.find(({ id }) => id === name)?.toc
  }

  #remembered(name: ObjectId): RememberedPlace[] {
    const { live } = this.#examination
    const rows = live.connection?.all<Omit<Location, 'pack' | 'id'> & { id: Buffer }>(
      `SELECT object.id, offset, stored, raw, type FROM object JOIN pack ON pack.id = object.pack
       WHERE name = ?`,
      name,
    )
    return (rows ?? []).map((row) => ({ ...row, id: row.id.toString('hex') as ObjectId }))
  }

  /** The stored bytes of the same object in another pack, if they are as long. */
  #duplicate(entry: PackEntry, pack: ObjectId): Buffer | undefined {
    const { fresh, layout } = this.#examination
    for (const place of fresh.places(entry.id)) {
      if (place.pack === pack || place.stored !== entry.stored) continue
      const payload = Buffer.alloc(place.stored)
      const fd = openSync(packPath(layout, place.pack), 'r')
      try {
        const got = readSync(fd, payload, 0, payload.length, place.offset + RECORD_HEADER_BYTES)
        if (got === payload.length) return payload
      } finally {
        closeSync(fd)
      }
    }
    return undefined
  }
}
