/**
 * Recipes, nodes and the version object on their way into a pack of their own. They are kept in memory while they are
 * few, so that a small commit can put them beside its chunks; many go to a metadata pack as they come.
 */
import type { ObjectId } from '../../types.ts'
import { PackStream } from '../ingest/pack-stream.ts'
import type { MetaObject, WrittenPack } from '../ingest/protocol.ts'
import type { Io } from '../io/io.ts'
import type { Layout } from '../layout.ts'
import type { ObjectKind } from '../object/id.ts'
import type { Reliance } from './reliance.ts'

const BUFFERED_BYTES = 1 << 20

export class MetadataBuffer {
  readonly #reliance: Reliance
  readonly #stream: PackStream
  readonly #seen = new Set<ObjectId>()
  #buffered: MetaObject[] = []
  #bytes = 0
  #spilled = false

  /** @param isLate as for a `PackStream`. */
  constructor(
    io: Io,
    layout: Layout,
    reliance: Reliance,
    isDropped: (id: string) => boolean,
    isLate = false,
  ) {
    this.#reliance = reliance
    this.#stream = new PackStream(io, layout, isDropped, isLate)
  }

  /** Keeps an object, unless the store has it. */
  add(kind: ObjectKind, id: ObjectId, bytes: Uint8Array): void {
    if (this.#seen.has(id) || this.#reliance.has(Buffer.from(id, 'hex'))) return
    this.#seen.add(id)
    if (this.#spilled) {
      this.#stream.appendObject({ kind, id, bytes })
      return
    }
    this.#buffered.push({ kind, id, bytes })
    this.#bytes += bytes.length
    if (this.#bytes <= BUFFERED_BYTES) return
    this.#spilled = true
    for (const object of this.#buffered) this.#stream.appendObject(object)
    this.clear()
  }

  /** Whether all that was to be kept was in the store. */
  get isEmpty(): boolean {
    return this.#seen.size === 0
  }

  /** What could go beside the chunks; none when it is too much for that. */
  get small(): readonly MetaObject[] {
    return this.#buffered
  }

  /** Forgets what went beside the chunks. */
  clear(): void {
    this.#buffered = []
    this.#bytes = 0
  }

  /** Ends the metadata pack, if there is one. */
  async finish(): Promise<readonly WrittenPack[]> {
    for (const object of this.#buffered) this.#stream.appendObject(object)
    this.clear()
    return (await this.#stream.finish([])).packs
  }

  abort(): void {
    this.#stream.abort()
  }
}
