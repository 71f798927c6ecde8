/**
 * What the main thread and the readers say to each other. A reader (inline or in a worker thread) takes a job, reads
 * and hashes, and answers with ids; the main thread, which alone sees the index, answers which of the chunks are new;
 * the reader, which still holds the bytes, compresses those and appends them to its pack. So bytes never cross
 * threads, and two workers never store the same chunk twice.
 */

import type { ObjectId } from '../../types.ts'
import type { JoiningPack } from '../log/operation.ts'
import type { ObjectKind } from '../object/id.ts'
import type { CheckPackOptions, PackFindings } from '../object/pack-check.ts'

/** What one `files` or `chunks` job may hold, in bytes. */
export const SLOT_BYTES: number = 4 << 20
/** Jobs whose bytes a reader holds at once. */
export const SLOTS = 3
/** Files up to this size keep their bytes in the tree. */
export const INLINE_BYTES = 64

/** A file as it was when the directory was walked. */
export interface FileStat {
  readonly size: number
  readonly mtimeMs: number
  readonly ctimeMs: number
  readonly ino: number
}

/** Whole files that fit a reader's buffer together. */
export interface FilesJob {
  readonly kind: 'files'
  readonly paths: readonly string[]
  /** Four numbers a file: size, mtimeMs, ctimeMs, ino. A file that has others after it was read is reported as changed. */
  readonly stats: Float64Array
  /** Nothing is read before this time (ms since 1970): a file just written could change once more within the same clock tick. */
  readonly notBefore: number
  /** False: only hash. */
  readonly store: boolean
}
/** Finds where a large file can be cut, in one part of it. */
export interface ScanJob {
  readonly kind: 'scan'
  readonly path: string
  readonly stat: FileStat
  readonly from: number
  readonly to: number
}
/** SHA-256 and xxh64 of a whole large file. */
export interface DigestJob {
  readonly kind: 'digest'
  readonly path: string
  readonly stat: FileStat
}
/** Chunks of a large file: [cuts[i], cuts[i + 1]). */
export interface ChunksJob {
  readonly kind: 'chunks'
  readonly path: string
  readonly stat: FileStat
  readonly cuts: Float64Array
  readonly store: boolean
}
export type ReadJob = FilesJob | ScanJob | DigestJob | ChunksJob
export type Job = ReadJob | ExtractJob | FillJob | CheckJob | PackJob

export interface FilesResult {
  readonly kind: 'files'
  /** 32 bytes a chunk, file after file. */
  readonly ids: Uint8Array<ArrayBuffer>
  readonly lengths: Uint32Array<ArrayBuffer>
  /** Chunks of each file: 0 is an inline file (or one that failed). */
  readonly counts: Uint32Array<ArrayBuffer>
  /** xxh64 of each file, 8 bytes. */
  readonly fingerprints: Uint8Array<ArrayBuffer>
  /** Bytes of inline files and SHA-256 of files of more than one chunk, by index. */
  readonly inline: ReadonlyMap<number, Uint8Array>
  readonly digests: ReadonlyMap<number, Uint8Array>
  /** Indexes of files that begin like a private key. */
  readonly privateKeys: readonly number[]
  readonly failures: ReadonlyMap<number, ReadFailure>
}
export interface ScanResult {
  readonly kind: 'scan'
  /** As `CandidateList.bytes`, beginning at the part's first byte. */
  readonly candidates: Uint8Array<ArrayBuffer>
  readonly failure?: ReadFailure
}
export interface DigestResult {
  readonly kind: 'digest'
  readonly sha256: Uint8Array
  readonly fingerprint: Uint8Array
  readonly isPrivateKey: boolean
  readonly failure?: ReadFailure
}
export interface ChunksResult {
  readonly kind: 'chunks'
  readonly ids: Uint8Array<ArrayBuffer>
  readonly lengths: Uint32Array<ArrayBuffer>
  readonly failure?: ReadFailure
}
export type ReadResult = FilesResult | ScanResult | DigestResult | ChunksResult
export type JobResult = ReadResult | ExtractResult | FillResult | CheckResult | PackResult

/** `changed`: not the file that was walked any more; otherwise the system's error code, such as `EACCES`. */
export interface ReadFailure {
  readonly code: string
}

/** A recipe, node or version object on its way into a pack. */
export interface MetaObject {
  readonly kind: ObjectKind
  readonly id: ObjectId
  readonly bytes: Uint8Array
}

/** What a commit wrote. */
export interface Packed {
  readonly packs: readonly WrittenPack[]
  /** True when the metadata went into the same pack as the chunks. */
  readonly mixed: boolean
}

/** A pack that a commit wrote. */
export type WrittenPack = JoiningPack

/** Where objects are, one row a record; rows may be in any order. */
export interface Records {
  /** Paths of the packs that `pack` counts. */
  readonly packs: readonly string[]
  readonly pack: Uint32Array
  /** Of the record's first byte in its pack. */
  readonly offset: Uint32Array
  readonly stored: Uint32Array
  readonly raw: Uint32Array
  /** Kind and codec as in the pack's table. */
  readonly type: Uint8Array
  /** 32 bytes a record. */
  readonly ids: Uint8Array
  /** Bytes that each chunk is said to have by what names it. */
  readonly lengths: Float64Array
}

/** Writes small files, each of one record or inline. */
export interface ExtractJob {
  readonly kind: 'extract'
  readonly records: Records
  /** The file each record is for. */
  readonly file: Uint32Array
  readonly paths: readonly string[]
  readonly executable: Uint8Array
  readonly inline: ReadonlyMap<number, Uint8Array>
  /** Where an existing directory is changed: the file is written under this name first, then renamed to its path. */
  readonly staging: string | undefined
}
/** Writes chunks of a large file that is there already, at their offsets in it. */
export interface FillJob {
  readonly kind: 'fill'
  readonly records: Records
  readonly path: string
  readonly at: Float64Array
}
/** Reads and verifies, writes nothing. */
export interface CheckJob {
  readonly kind: 'check'
  readonly records: Records
}
/** Looks a whole pack over, writes nothing. */
export interface PackJob extends CheckPackOptions {
  readonly kind: 'pack'
  readonly path: string
}
export interface ExtractResult {
  readonly kind: 'extract'
  /** By file: why its bytes could not be read back. Errors of writing end the job instead. */
  readonly damage: ReadonlyMap<number, string>
}
export interface FillResult {
  readonly kind: 'fill'
  /** By record. */
  readonly damage: ReadonlyMap<number, string>
}
export interface CheckResult {
  readonly kind: 'check'
  readonly damage: ReadonlyMap<number, string>
}
export interface PackResult {
  readonly kind: 'pack'
  readonly findings: PackFindings
}
