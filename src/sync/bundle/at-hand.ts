/**
 * The packs of a bundle that are at hand: in volumes that were given, and those that wait in quarantine since other volumes
 * of the set were applied. To whoever receives objects they are a remote with a log that does not grow.
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import type { Location } from '../../store/index/objects.ts'
import { IdSet } from '../../store/ingest/id-set.ts'
import type { JoiningPack } from '../../store/log/operation.ts'
import { readId } from '../../store/object/id.ts'
import { entryOffset, type PackTable, tableEntry } from '../../store/object/pack.ts'
import type { ObjectId } from '../../types.ts'
import type {
  Backend,
  Content,
  FileFacts,
  GetOptions,
  ListedFile,
  ListOptions,
  Range,
  RequestOptions,
} from '../backend.ts'
import { absent, outside, takesNoFiles } from '../backends/errors.ts'
import { readPieces } from '../backends/tar-volume.ts'
import { packName } from '../put-pack.ts'
import type { Sender } from '../transfer/fetcher.ts'
import { readRemoteTable } from '../transfer/index-pack.ts'
import type { Bundle } from './open-bundle.ts'

/** Where a pack lies. */
type Place = { readonly path: string; readonly fd: number; readonly at: Range }

export class PacksAtHand implements Backend {
  readonly address: string
  readonly #places = new Map<string, Place>()
  readonly #opened: number[] = []

  /**
   * @param waiting paths of packs in quarantine, by id
   */
  constructor(bundle: Bundle, waiting: ReadonlyMap<ObjectId, string>) {
    this.address = `${bundle.volumes[0].path}:`
    for (const { path, fd, files } of bundle.volumes) {
      for (const [name, at] of files) {
        if (name.startsWith('packs/') && !this.#places.has(name)) {
          this.#places.set(name, { path, fd, at })
        }
      }
    }
    for (const [id, path] of waiting) {
      if (this.#places.has(packName(id))) continue
      const fd = openSync(path, 'r')
      this.#opened.push(fd)
      this.#places.set(packName(id), { path, fd, at: { start: 0, end: fstatSync(fd).size } })
    }
  }

  has(pack: ObjectId): boolean {
    return this.#places.has(packName(pack))
  }

  async get(name: string, { range, signal }: GetOptions = {}): Promise<Content> {
    signal?.throwIfAborted()
    const place = this.#places.get(name)
    if (place === undefined) throw absent(this.address + name)
    const { path, fd, at } = place
    const size = at.end - at.start
    const beyond = range && outside(this.address + name, size, range)
    if (beyond !== undefined) throw beyond
    const { start, end } = range ?? { start: 0, end: size }
    const pieces = readPieces({ path, fd }, { start: at.start + start, end: at.start + end })
    return { size: end - start, bytes: unlessAborted(pieces, signal) }
  }

  async head(name: string): Promise<FileFacts | undefined> {
    const at = this.#places.get(name)?.at
    return at && { size: at.end - at.start }
  }

  async *list(folder: string, { after = '' }: ListOptions = {}): AsyncIterable<ListedFile> {
    for (const [name, { at }] of [...this.#places].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!name.startsWith(folder) || name <= after) continue
      yield { name, size: at.end - at.start, modified: 0 }
    }
  }

  async putIfAbsent(): Promise<never> {
    throw takesNoFiles(this.address)
  }

  async put(): Promise<never> {
    throw takesNoFiles(this.address)
  }

  async delete(): Promise<never> {
    throw takesNoFiles(this.address)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const fd of this.#opened) closeSync(fd)
  }
}

async function* unlessAborted(
  pieces: Iterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  for (const piece of pieces) {
    signal?.throwIfAborted()
    yield piece
  }
}

/** Where objects lie in packs at hand; some 60 bytes for each in memory. */
export class ObjectsAtHand implements Sender {
  readonly #packs: readonly JoiningPack[]
  readonly #byId: ReadonlyMap<ObjectId, JoiningPack>
  readonly #ids = new IdSet(Number.POSITIVE_INFINITY)
  #places = new Uint32Array(4 * 1024)

  /**
   * Reads the tables of packs.
   * @throws ArtifactsError ERR_DAMAGED for one that is not what the pack's name says
   */
  static async in(
    backend: PacksAtHand,
    packs: Iterable<JoiningPack>,
    options: RequestOptions,
  ): Promise<ObjectsAtHand> {
    const all = [...packs].filter(({ id, kind }) => kind !== 'index' && backend.has(id))
    const objects = new ObjectsAtHand(all)
    for (const [number, pack] of all.entries()) {
      objects.#add(number, await readRemoteTable(backend, pack, options))
    }
    return objects
  }

  private constructor(packs: readonly JoiningPack[]) {
    this.#packs = packs
    this.#byId = new Map(packs.map((pack) => [pack.id, pack]))
  }

  locations(id: Uint8Array): Location[] {
    const index = this.#ids.indexOf(id, 0)
    if (index < 0) return []
    const [pack = 0, offset = 0, stored = 0, rawAndType = 0] = this.#places.subarray(index * 4)
    const { id: name } = this.#packs[pack] as JoiningPack
    const [raw, type] = [rawAndType >>> 8, rawAndType & 0xff]
    return [{ id: readId(Buffer.from(id)), pack: name, offset, stored, raw, type }]
  }

  pack(id: ObjectId): JoiningPack | undefined {
    return this.#byId.get(id)
  }

  /** A bundle is what it was. */
  async readNews(): Promise<void> {}

  async loadTables(): Promise<void> {}

  #add(pack: number, table: PackTable): void {
    for (let at = 0; at < table.count; at++) {
      if (!this.#ids.add(table.bytes, entryOffset(at))) continue
      const index = this.#ids.size - 1
      if ((index + 1) * 4 > this.#places.length) {
        const places = new Uint32Array(this.#places.length * 2)
        places.set(this.#places)
        this.#places = places
      }
      const { offset, stored, raw, type } = tableEntry(table, at)
      // An object has at most 4 MiB: 23 bits, and the type 8.
      this.#places.set([pack, offset, stored, raw * 256 + type], index * 4)
    }
  }
}
