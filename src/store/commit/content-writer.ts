/**
 * Contents of files that come as a stream, such as those of a tar, on their way into packs: chunked, hashed and stored as
 * they arrive, so that memory is bounded and nothing is written twice. The packs get their names only when all has come;
 * until then `abort` leaves nothing behind.
 *
 * Cut as files are, at the same places: what is in the store already is found again.
 */
import { createHash } from 'node:crypto'
import type { Content, ObjectId } from '../../types.ts'
import { isDropped } from '../index/pack-rows.ts'
import { IdSet } from '../ingest/id-set.ts'
import { keepRecipe } from '../ingest/large-file.ts'
import { PackStream } from '../ingest/pack-stream.ts'
import { INLINE_BYTES, SLOT_BYTES, type WrittenPack } from '../ingest/protocol.ts'
import { isPrivateKey } from '../ingest/secrets.ts'
import { CandidateList } from '../object/candidates.ts'
import {
  CutSelector,
  chunkSizesFor,
  cutBuffer,
  SINGLE_CHUNK_BYTES,
  scanCandidates,
  WINDOW,
} from '../object/chunker.ts'
import { chunkHash, RECIPE } from '../object/id.ts'
import type { OpenedStore } from '../opened.ts'
import { MetadataBuffer } from './metadata-buffer.ts'
import { Reliance } from './reliance.ts'

export interface WrittenContent {
  readonly content: Content
  /** True for bytes that begin like a private key in PEM. */
  readonly isPrivateKey: boolean
}

/** Bytes of a large file that are looked through for cuts together. */
const STEP = 1 << 20
/** The longest chunk, what is looked through next to it, and the bytes before that decide. */
const LARGE_BUFFER_BYTES = (2 << 20) + STEP + WINDOW

export class ContentWriter {
  readonly #store: OpenedStore
  readonly #reliance: Reliance
  readonly #packs: PackStream
  readonly #metadata: MetadataBuffer
  readonly #ids = new IdSet()
  #newBytes = 0
  readonly #buffer = Buffer.allocUnsafeSlow(Math.max(SLOT_BYTES, LARGE_BUFFER_BYTES))

  constructor(store: OpenedStore) {
    const { io, layout, index } = store
    const isGone = (id: string): boolean => isDropped(index, id)
    this.#store = store
    this.#reliance = new Reliance(index.objects, index.refresh().applied)
    this.#packs = new PackStream(io, layout, isGone, true)
    this.#metadata = new MetadataBuffer(io, layout, this.#reliance, isGone, true)
  }

  /** Bytes of chunks, before compression, that the store did not have. */
  get newBytes(): number {
    return this.#newBytes
  }

  /** @param pieces exactly `size` bytes; a piece is used before the next one is asked for. */
  async add(size: number, pieces: AsyncIterable<Uint8Array>): Promise<WrittenContent> {
    if (size > SLOT_BYTES) return this.#addLarge(size, pieces)
    let length = 0
    for await (const piece of pieces) {
      if (length + piece.length > size) throw new Error('More bytes came than were announced.')
      this.#buffer.set(piece, length)
      length += piece.length
    }
    if (length < size) throw new Error('Fewer bytes came than were announced.')
    const bytes = this.#buffer.subarray(0, size)
    const isKey = isPrivateKey(bytes)
    if (size <= INLINE_BYTES) {
      return { content: { kind: 'inline', bytes: Uint8Array.from(bytes) }, isPrivateKey: isKey }
    }
    if (size <= SINGLE_CHUNK_BYTES) {
      const id = this.#keep(bytes).toString('hex') as ObjectId
      return { content: { kind: 'chunk', id }, isPrivateKey: isKey }
    }
    const chunks = new Chunks()
    let start = 0
    for (const end of cutBuffer(bytes)) {
      chunks.add(this.#keep(bytes.subarray(start, end)), end - start)
      start = end
    }
    return { content: this.#recipe(chunks, size, chunkHash(bytes)), isPrivateKey: isKey }
  }

  /** Gives the packs their names. Whoever names what they hold in an operation looks it up again. */
  async finish(): Promise<readonly WrittenPack[]> {
    const { packs, mixed } = await this.#packs.finish(this.#metadata.small)
    if (mixed) this.#metadata.clear()
    return [...packs, ...(await this.#metadata.finish())]
  }

  /** Whether all that was found in the store is still there. */
  holds(own: readonly WrittenPack[]): boolean {
    const { index } = this.#store
    index.refresh()
    return this.#reliance.holds(
      index.state,
      own.map(({ id }) => id),
    )
  }

  /** Removes what was written and not finished. */
  abort(): void {
    this.#packs.abort()
    this.#metadata.abort()
  }

  async #addLarge(size: number, pieces: AsyncIterable<Uint8Array>): Promise<WrittenContent> {
    const sizes = chunkSizesFor(size)
    const selector = new CutSelector(sizes, size)
    const hash = createHash('sha256')
    const chunks = new Chunks()
    const buffer = this.#buffer
    let isKey = false
    /** Of the buffer's first byte, in the file. */
    let base = 0
    let length = 0
    /** Ends of what was looked through and of the last chunk, in the file. */
    let known = 0
    let cut = 0
    const look = (): void => {
      const until = base + length
      if (known === 0) isKey = isPrivateKey(buffer.subarray(0, length))
      const found = new CandidateList(known)
      scanCandidates(buffer, known - base, length, sizes, base, found)
      for (const end of selector.add(found.bytes(), until)) {
        chunks.add(this.#keep(buffer.subarray(cut - base, end - base)), end - cut)
        cut = end
      }
      known = until
      const kept = Math.max(Math.min(cut, until - WINDOW), base)
      buffer.copyWithin(0, kept - base, length)
      length -= kept - base
      base = kept
    }
    for await (const piece of pieces) {
      if (base + length + piece.length > size) {
        throw new Error('More bytes came than were announced.')
      }
      hash.update(piece)
      for (let at = 0; at < piece.length; ) {
        const end = Math.min(at + STEP - (base + length - known), piece.length)
        buffer.set(piece.subarray(at, end), length)
        length += end - at
        at = end
        if (base + length - known === STEP || base + length === size) look()
      }
    }
    if (cut < size) throw new Error('Fewer bytes came than were announced.')
    return { content: this.#recipe(chunks, size, hash.digest()), isPrivateKey: isKey }
  }

  /** Stores a chunk, unless it is there; its id, 32 bytes. */
  #keep(bytes: Uint8Array): Buffer {
    const id = chunkHash(bytes)
    if (this.#ids.add(id, 0) && !this.#reliance.has(id)) {
      this.#packs.appendChunk(id, bytes)
      this.#newBytes += bytes.length
    }
    return id
  }

  #recipe({ ids, lengths }: Chunks, size: number, sha256: Uint8Array): Content {
    const id = keepRecipe(Buffer.concat(ids), lengths, size, sha256, {
      store: true,
      keepRecipe: (part, bytes) => this.#metadata.add(RECIPE, part, bytes),
    })
    return { kind: 'recipe', id }
  }
}

/** The chunks of one file. */
class Chunks {
  readonly ids: Buffer[] = []
  readonly lengths: number[] = []

  add(id: Buffer, length: number): void {
    this.ids.push(id)
    this.lengths.push(length)
  }
}
