/**
 * Takes stored bytes out of packs: verifies every record by its id, and writes files. Records are read in the order of
 * their packs, neighbours in one read: 256 small files cost a few reads instead of 256.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { ArtifactsError, isSystemError } from '../../errors.ts'
import type { Io } from '../io/io.ts'
import { decompress } from '../object/compression.ts'
import { asKind, CHUNK, chunkHash } from '../object/id.ts'
import { codecOf, decodeRecordHeader, kindOf, RECORD_HEADER_BYTES } from '../object/pack.ts'
import type {
  CheckJob,
  CheckResult,
  ExtractJob,
  ExtractResult,
  FillJob,
  FillResult,
  Records,
} from './protocol.ts'

/** Neighbours are read together up to this many bytes, and over gaps of up to GAP_BYTES. */
const READ_BYTES = 4 << 20
const GAP_BYTES = 64 << 10
const OPEN_PACKS = 16
const { O_CREAT, O_EXCL, O_WRONLY } = constants
const NOFOLLOW = constants.O_NOFOLLOW ?? 0

export class Extractor {
  readonly #io: Io
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  readonly #packs = new Map<string, number>()

  constructor(io: Io) {
    this.#io = io
  }

  extract(job: ExtractJob): ExtractResult {
    for (const [file, bytes] of job.inline) this.#writeFile(job, file, bytes)
    const damage = new Map<number, string>()
    this.#each(
      job.records,
      (record, bytes) => this.#writeFile(job, job.file[record] as number, bytes),
      (record, reason) => damage.set(job.file[record] as number, reason),
    )
    return { kind: 'extract', damage }
  }

  fill(job: FillJob): FillResult {
    const damage = new Map<number, string>()
    const fd = this.#io.open(job.path, O_WRONLY | NOFOLLOW)
    try {
      this.#each(
        job.records,
        (record, bytes) => {
          // The file has its full length already, so zeros need not be written: holes come back as holes.
          if (!isZero(bytes)) this.#io.writeAll(fd, bytes, job.at[record] as number)
        },
        (record, reason) => damage.set(record, reason),
      )
    } finally {
      this.#io.close(fd)
    }
    return { kind: 'fill', damage }
  }

  check(job: CheckJob): CheckResult {
    const damage = new Map<number, string>()
    this.#each(
      job.records,
      (record, _, stored) => {
        // Not needed to read the object, but to find it where the table of its pack is lost.
        if (hasHeader(job.records, record, stored)) return
        damage.set(
          record,
          `object ${idOf(job.records, record)} has another header than its pack says`,
        )
      },
      (record, reason) => damage.set(record, reason),
    )
    return { kind: 'check', damage }
  }

  close(): void {
    for (const fd of this.#packs.values()) closeSync(fd)
    this.#packs.clear()
  }

  #writeFile(job: ExtractJob, file: number, bytes: Uint8Array): void {
    const path = job.paths[file] as string
    const mode = job.executable[file] === 1 ? 0o777 : 0o666
    const name = job.staging === undefined ? path : `${job.staging}.${file}`
    const fd = this.#io.open(name, O_WRONLY | O_CREAT | O_EXCL | NOFOLLOW, mode)
    try {
      if (bytes.length > 0) this.#io.writeAll(fd, bytes)
    } finally {
      this.#io.close(fd)
    }
    if (job.staging !== undefined) this.#io.rename(name, path)
  }

  #each(
    records: Records,
    use: (record: number, bytes: Uint8Array, stored: Buffer) => void,
    fail: (record: number, reason: string) => void,
  ): void {
    const { pack, offset, stored } = records
    const end = (record: number): number =>
      (offset[record] as number) + RECORD_HEADER_BYTES + (stored[record] as number)
    const order = Uint32Array.from(pack.keys()).sort(
      (a, b) =>
        (pack[a] as number) - (pack[b] as number) || (offset[a] as number) - (offset[b] as number),
    )
    for (let first = 0; first < order.length; ) {
      const start = offset[order[first] as number] as number
      let last = first + 1
      while (
        last < order.length &&
        pack[order[last] as number] === pack[order[first] as number] &&
        end(order[last] as number) - start <= READ_BYTES &&
        (offset[order[last] as number] as number) - end(order[last - 1] as number) <= GAP_BYTES
      ) {
        last++
      }
      const length = end(order[last - 1] as number) - start
      const path = records.packs[pack[order[first] as number] as number] as string
      const problem = this.#read(path, start, length)
      for (let index = first; index < last; index++) {
        const record = order[index] as number
        if (problem !== undefined) {
          fail(record, problem)
          continue
        }
        const from = (offset[record] as number) - start
        const stored = this.#buffer.subarray(from, end(record) - start)
        const bytes = verified(records, record, stored)
        if (typeof bytes === 'string') fail(record, bytes)
        else use(record, bytes, stored)
      }
      first = last
    }
  }

  /** Fills the buffer; says what is wrong when it can't. */
  #read(path: string, start: number, length: number): string | undefined {
    try {
      const fd = this.#open(path)
      let read = 0
      while (read < length) {
        const got = readSync(fd, this.#buffer, read, length - read, start + read)
        if (got === 0) return `pack "${path}" ends early`
        read += got
      }
      return undefined
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return `pack "${path}" is missing`
      if (isSystemError(error, 'EIO')) return `pack "${path}" can't be read`
      throw error
    }
  }

  #open(path: string): number {
    const known = this.#packs.get(path)
    if (known !== undefined) return known
    if (this.#packs.size === OPEN_PACKS) {
      const [oldest, fd] = this.#packs.entries().next().value as [string, number]
      closeSync(fd)
      this.#packs.delete(oldest)
    }
    const fd = openSync(path, constants.O_RDONLY)
    this.#packs.set(path, fd)
    return fd
  }
}

/** The object's bytes, or why they are not what the id names. */
function verified(records: Records, record: number, stored: Buffer): Uint8Array | string {
  const type = records.type[record] as number
  try {
    const payload = stored.subarray(RECORD_HEADER_BYTES)
    const raw = decompress(codecOf(type), payload, records.raw[record] as number)
    // A file can hold the very bytes of a node with its prefix: then the node's record stands for the file's chunk.
    const chunk = asKind(raw, kindOf(type), CHUNK)
    const id = records.ids.subarray(record * 32, record * 32 + 32)
    if (chunk === undefined || !chunkHash(chunk).equals(id)) {
      return `object ${idOf(records, record)} has other bytes than its name says`
    }
    const length = records.lengths[record]
    return chunk.length === length
      ? chunk
      : `object ${idOf(records, record)} has ${chunk.length} bytes where ${length} are expected`
  } catch (error) {
    if (error instanceof ArtifactsError) return error.message
    throw error
  }
}

function hasHeader(records: Records, record: number, stored: Buffer): boolean {
  const header = decodeRecordHeader(stored)
  return (
    header?.type === records.type[record] &&
    header?.stored === records.stored[record] &&
    header?.raw === records.raw[record]
  )
}

function idOf({ ids }: Records, record: number): string {
  return Buffer.from(ids.buffer, ids.byteOffset + record * 32, 32).toString('hex')
}

function isZero(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0 || bytes[bytes.length - 1] !== 0 || bytes[bytes.length >> 1] !== 0)
    return false
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length - 1).equals(
    Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.length - 1),
  )
}
