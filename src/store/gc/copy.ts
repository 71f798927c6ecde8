/**
 * Copies records of several packs into one new pack. Payloads go over as they are, each checked against the checksum in
 * the table of its pack: what is damaged is not copied, and so neither spread nor lost.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { ArtifactsError, damaged, isSystemError } from '../../errors.ts'
import type { ObjectId } from '../../types.ts'
import { IdSet } from '../ingest/id-set.ts'
import { packPath, temporaryName } from '../layout.ts'
import type { JoiningPack, PackKind } from '../log/operation.ts'
import { xxh64 } from '../object/checksum.ts'
import type { Codec } from '../object/compression.ts'
import {
  codecOf,
  decodeRecordHeader,
  kindOf,
  type PackEntry,
  RECORD_HEADER_BYTES,
  tableEntries,
} from '../object/pack.ts'
import { readTable } from '../object/pack-reader.ts'
import { PackWriter, publish } from '../object/pack-writer.ts'
import type { OpenedStore } from '../opened.ts'

/** A pack to be copied from, and which of its records: by where they begin. */
export interface CopySource {
  readonly id: ObjectId
  /** Default: what its records say. */
  readonly kind?: PackKind
  readonly wants: (offset: number) => boolean
}

const WINDOW_BYTES = 8 << 20

/** A pack that cannot be copied: it is damaged, or gone. */
export class SourceError extends Error {
  readonly pack: ObjectId

  static {
    this.prototype.name = 'SourceError'
  }

  constructor(pack: ObjectId, cause: unknown) {
    super(`Pack "${pack}" cannot be copied.`, { cause })
    this.pack = pack
  }
}

/**
 * Writes the pack and gives it its name, which is durable once `packs/` is synced. Throws a SourceError for a pack that
 * is damaged or gone.
 * @param sources of one kind, or none of them an index pack: what is made of index packs is one
 * @param isTaken true for ids that the new pack must not have: dropped ones, and those that are about to be.
 */
export async function copyRecords(
  { io, layout }: OpenedStore,
  sources: readonly CopySource[],
  isTaken: (id: string) => boolean,
): Promise<JoiningPack> {
  const temporary = join(layout.tmp, temporaryName())
  const writer = new PackWriter(io, temporary)
  try {
    const ids = new IdSet(Number.POSITIVE_INFINITY)
    for (const { id: source, wants } of sources) {
      const path = packPath(layout, source)
      naming(source, () => {
        const entries = tableEntries(readTable(path))
        const wanted = entries.filter(({ id, offset }) => wants(offset) && ids.add(id, 0))
        appendRecords(writer, path, wanted)
      })
    }
    const { id, bytes, kind, toc } = await writer.finish(isTaken)
    publish(io, temporary, packPath(layout, id as ObjectId))
    const isIndex = sources.some((source) => source.kind === 'index')
    return { id: id as ObjectId, bytes, kind: isIndex ? 'index' : kind, toc }
  } catch (error) {
    writer.abort()
    throw error
  }
}

/** What is wrong with a pack that cannot be read becomes a SourceError that names it. */
export function naming<T>(pack: ObjectId, run: () => T): T {
  try {
    return run()
  } catch (error) {
    const isDamage = error instanceof ArtifactsError && error.code === 'ERR_DAMAGED'
    if (isDamage || isSystemError(error, 'ENOENT', 'EISDIR')) throw new SourceError(pack, error)
    throw error
  }
}

/** Appends records of the pack at `path`, in the order in which they stand there; all of them have to fit. */
export function appendRecords(writer: PackWriter, path: string, records: PackEntry[]): void {
  records.sort((a, b) => a.offset - b.offset)
  const window = Buffer.allocUnsafeSlow(WINDOW_BYTES)
  const fd = openSync(path, 'r')
  try {
    for (let first = 0; first < records.length; ) {
      const start = (records[first] as PackEntry).offset
      let end = first
      while (end < records.length && endOf(records[end] as PackEntry) - start <= WINDOW_BYTES) end++
      const length = endOf(records[end - 1] as PackEntry) - start
      readFully(fd, window.subarray(0, length), start, path)
      for (const record of records.slice(first, end)) {
        appendRecord(writer, record, window.subarray(record.offset - start), path)
      }
      first = end
    }
  } finally {
    closeSync(fd)
  }
}

function appendRecord(writer: PackWriter, entry: PackEntry, bytes: Buffer, path: string): void {
  const { id, type, stored, raw, checksum } = entry
  const header = decodeRecordHeader(bytes)
  const payload = bytes.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + stored)
  const isSame = header?.type === type && header.stored === stored && header.raw === raw
  if (!isSame || xxh64(payload) !== checksum) {
    throw damaged(`Pack "${path}" has a record that is not as it was written.`)
  }
  // What a later program compressed is copied as well, though it cannot be read here.
  const codec = codecOf(type) as Codec
  writer.append({ kind: kindOf(type), id, codec, stored: payload, rawLength: raw })
}

function endOf({ offset, stored }: PackEntry): number {
  return offset + RECORD_HEADER_BYTES + stored
}

function readFully(fd: number, buffer: Buffer, position: number, path: string): void {
  for (let done = 0; done < buffer.length; ) {
    const got = readSync(fd, buffer, done, buffer.length - done, position + done)
    if (got === 0) throw damaged(`Pack "${path}" ends early.`)
    done += got
  }
}
