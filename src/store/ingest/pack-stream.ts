/**
 * A stream of objects into packs of up to 64 MiB. A full pack is made durable while the next one fills. What is small
 * altogether becomes one mixed pack, so that a one-file commit makes one file.
 */
import { join } from 'node:path'
import type { ObjectId } from '../../types.ts'
import type { Io } from '../io/io.ts'
import { type Layout, packPath, temporaryName } from '../layout.ts'
import { compress } from '../object/compression.ts'
import { CHUNK, ID_BYTES, type ObjectKind } from '../object/id.ts'
import { PackWriter, publish } from '../object/pack-writer.ts'
import type { MetaObject, Packed, WrittenPack } from './protocol.ts'

/** Data and metadata that are smaller than this together share a pack. */
const MIXED_BYTES = 1 << 20

export class PackStream {
  readonly #io: Io
  readonly #layout: Layout
  readonly #isDropped: (id: string) => boolean
  readonly #open = new Set<PackWriter>()
  readonly #isLate: boolean
  #late: (() => void)[] = []
  #ending: Promise<WrittenPack>[] = []
  #path = ''
  #writer: PackWriter | undefined

  /**
   * @param isDropped true for an id that no pack may have again.
   * @param isLate full packs too get their names only in `finish`: until then `abort` removes all.
   */
  constructor(io: Io, layout: Layout, isDropped: (id: string) => boolean, isLate = false) {
    this.#isLate = isLate
    this.#io = io
    this.#layout = layout
    this.#isDropped = isDropped
  }

  /** Appends a chunk; `id` has 32 bytes. */
  appendChunk(id: Uint8Array, raw: Uint8Array): void {
    this.#append(CHUNK, id, raw)
  }

  appendObject({ kind, id, bytes }: MetaObject): void {
    this.#append(kind, Buffer.from(id, 'hex'), bytes)
  }

  /** Ends all packs and gives them their names. `beside` goes into the only pack when both are small. */
  async finish(beside: readonly MetaObject[]): Promise<Packed> {
    let size = this.#writer?.bytes ?? 0
    for (const { bytes } of beside) size += bytes.length
    const mixed = beside.length > 0 && this.#ending.length === 0 && size < MIXED_BYTES
    if (mixed) for (const object of beside) this.appendObject(object)
    this.#rotate()
    const packs = await Promise.all(this.#ending)
    this.#ending = []
    for (const name of this.#late.splice(0)) name()
    return { packs, mixed }
  }

  /** Removes what has no name yet. */
  abort(): void {
    for (const ending of this.#ending) ending.catch(() => {})
    for (const writer of this.#open) writer.abort()
    this.#open.clear()
    this.#writer = undefined
  }

  #append(kind: ObjectKind, id: Uint8Array, raw: Uint8Array): void {
    const { codec, bytes } = compress(raw, kind)
    if (this.#writer?.fits(bytes.length) === false) this.#rotate()
    if (this.#writer === undefined) {
      this.#path = join(this.#layout.tmp, temporaryName())
      this.#writer = new PackWriter(this.#io, this.#path)
      this.#open.add(this.#writer)
    }
    this.#writer.append({
      kind,
      codec,
      id: id.subarray(0, ID_BYTES),
      stored: bytes,
      rawLength: raw.length,
    })
  }

  #rotate(): void {
    const writer = this.#writer
    if (writer === undefined) return
    this.#writer = undefined
    const ending = this.#end(writer, this.#path)
    // A failure is met again by `finish`; until then it must not end the process.
    ending.catch(() => {})
    this.#ending.push(ending)
  }

  async #end(writer: PackWriter, path: string): Promise<WrittenPack> {
    const { id, bytes, kind, toc } = await writer.finish(this.#isDropped)
    const name = (): void => {
      publish(this.#io, path, packPath(this.#layout, id))
      this.#open.delete(writer)
    }
    if (this.#isLate) this.#late.push(name)
    else name()
    return { id: id as ObjectId, bytes, kind, toc }
  }
}
