/** A batch of a walk beside what the stat cache remembers of its files. The caller completes it; see stat-cache.ts. */
import type { Content, ObjectId } from '../../types.ts'
import type { FileStat } from '../ingest/protocol.ts'
import type { WalkBatch } from './batch.ts'
import { ContentKind } from './segment.ts'

/** The values of `MatchedBatch.states`. */
export const RowState = {
  /** Not seen yet, or of another size than before; or no file. */
  unknown: 0,
  /** Of the same size as before. If its xxh64 is the same too, it has not changed: `hasFingerprint`, `confirm`. */
  unsure: 1,
  /** Not changed. */
  clean: 2,
  /** Set or confirmed by the caller. */
  fresh: 3,
} as const

export class MatchedBatch {
  readonly batch: WalkBatch
  readonly states: Uint8Array
  /** Meaningful, like the following, for rows that are not unknown. */
  readonly contentKinds: Uint8Array
  /** xxh64 of the content, 8 bytes a row. */
  readonly fingerprints: Buffer
  /** 32 bytes a row; only of chunks and recipes. */
  readonly ids: Buffer
  /** Only of inline content that is not empty. */
  readonly inline: Map<number, Uint8Array> = new Map()

  constructor(batch: WalkBatch) {
    const { length } = batch
    this.batch = batch
    this.states = new Uint8Array(length)
    this.contentKinds = new Uint8Array(length)
    this.fingerprints = Buffer.alloc(length * 8)
    this.ids = Buffer.alloc(length * 32)
  }

  content(index: number): Content {
    if (this.states[index] === RowState.unknown) throw new Error(`Row ${index} has no content.`)
    const kind = this.contentKinds[index]
    if (kind === ContentKind.inline) {
      return { kind: 'inline', bytes: this.inline.get(index) ?? NO_BYTES }
    }
    const id = this.ids.toString('hex', index * 32, index * 32 + 32) as ObjectId
    return { kind: kind === ContentKind.chunk ? 'chunk' : 'recipe', id }
  }

  hasFingerprint(index: number, fingerprint: Uint8Array): boolean {
    for (let at = 0; at < 8; at++) {
      if (this.fingerprints[index * 8 + at] !== fingerprint[at]) return false
    }
    return true
  }

  /** The file still has the content that was remembered. `stat`: as it was when it was read, if not as in the batch. */
  confirm(index: number, stat?: FileStat): void {
    if (this.states[index] === RowState.unknown) throw new Error(`Row ${index} has no content.`)
    this.#restat(index, stat)
    this.states[index] = RowState.fresh
  }

  /** The file has this content, whose xxh64 is `fingerprint`. */
  set(index: number, content: Content, fingerprint: Uint8Array, stat?: FileStat): void {
    this.#restat(index, stat)
    this.states[index] = RowState.fresh
    this.contentKinds[index] = ContentKind[content.kind]
    this.fingerprints.set(fingerprint, index * 8)
    if (content.kind === 'inline') {
      this.inline.set(index, content.bytes)
      return
    }
    this.inline.delete(index)
    this.ids.write(content.id, index * 32, 32, 'hex')
  }

  #restat(index: number, stat: FileStat | undefined): void {
    if (stat === undefined) return
    const { sizes, mtimes, ctimes, inodes } = this.batch
    sizes[index] = stat.size
    mtimes[index] = stat.mtimeMs
    ctimes[index] = stat.ctimeMs
    inodes[index] = stat.ino
  }
}

const NO_BYTES = new Uint8Array(0)
