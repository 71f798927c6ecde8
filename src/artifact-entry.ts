/** One path of a version, as a program reads it. */
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import type { ArtifactVersion } from './artifact-version.ts'
import { ArtifactsError } from './errors.ts'
import { readReference } from './references.ts'
import type { Session } from './session.ts'
import { fileBytes, fileDigest } from './store/read-file.ts'
import { entrySize } from './store/tree/entry.ts'
import { entryUri } from './sync/references/artifact.ts'
import type { Entry, ObjectId, OperationOptions } from './types.ts'

/** What a file's bytes, or a reference's source, are known by. */
export interface EntryDigest {
  /** `sha256` for bytes that are stored; for a reference what its source says, such as `etag`, `md5` or `uri`. */
  readonly algorithm: string
  readonly value: string
}

export interface ReadOptions {
  /** Offset of the first byte; default 0. */
  readonly start?: number
  /** Offset behind the last byte; default: the end. */
  readonly end?: number
  readonly signal?: AbortSignal | undefined
}

/** What an entry needs of the version that it is in. */
export interface EntryHome {
  readonly session: () => Session
  /** What messages call the version. */
  readonly ref: string
  /** Fetches bytes of it that are not here, or throws ERR_NOT_FETCHED. */
  readonly fetch: (session: Session, options: OperationOptions) => Promise<void>
  readonly parent: () => Promise<ArtifactVersion>
  readonly download: (dir: string | undefined, options: OperationOptions) => Promise<string>
}

/** The store that an entry is in, asked anew for each question. */
export let entryHome: (entry: ArtifactEntry) => () => Session

export class ArtifactEntry {
  readonly path: string
  readonly kind: Entry['kind']
  /** Bytes; of a symlink those of its target; undefined for a reference whose source does not tell. */
  readonly size: number | undefined
  readonly executable: boolean
  /** Where a reference's bytes are; undefined for what is stored. */
  readonly uri: string | undefined
  /** Where a symlink leads. */
  readonly target: string | undefined
  /** `artifacts://<version id>/<path>`: what `addReference` takes, so that another version can refer to this entry. */
  readonly url: string
  readonly #entry: Entry
  readonly #home: EntryHome

  constructor(entry: Entry, version: ObjectId, home: EntryHome) {
    this.path = entry.path
    this.kind = entry.kind
    this.size = entry.kind === 'reference' ? entry.reference.size : entrySize(entry)
    this.executable = entry.kind === 'file' && entry.executable
    this.uri = entry.kind === 'reference' ? entry.reference.uri : undefined
    this.target = entry.kind === 'symlink' ? entry.target : undefined
    this.url = entryUri(version, entry.path)
    this.#entry = entry
    this.#home = home
  }

  static {
    entryHome = (entry) => entry.#home.session
  }

  /** Of the bytes of a file or a symlink's target, or as recorded of a reference; undefined for an empty directory. */
  get digest(): EntryDigest | undefined {
    return entryDigest(this.#home.session(), this.#entry)
  }

  /**
   * The bytes of a file, or of part of it, each verified before it is handed out; those of a reference are known to be
   * what was recorded when the stream has ended, and are read from their source to the end for that.
   * @throws (from the stream) ArtifactsError ERR_DAMAGED, ERR_NOT_FETCHED, ERR_UNSUPPORTED for a symlink or directory; of a reference
   * ERR_REMOTE_CHANGED, ERR_NOT_FOUND, ERR_REMOTE_UNREACHABLE, ERR_REMOTE_DENIED.
   */
  read(options: ReadOptions = {}): Readable {
    return Readable.from(this.#pieces(options), { objectMode: false })
  }

  /** Downloads this entry alone into `dir`, by default that of the version; the file's full path. */
  async download(dir?: string, options: OperationOptions = {}): Promise<string> {
    const folder = await this.#home.download(dir, options)
    return resolve(folder, this.path)
  }

  /** The version that it is in. */
  async parent(): Promise<ArtifactVersion> {
    return this.#home.parent()
  }

  toJSON(): Record<string, unknown> {
    const { path, kind, size, executable, uri, target, digest } = this
    return { path, kind, size, executable, uri, target, digest }
  }

  async *#pieces({
    start = 0,
    end = Number.POSITIVE_INFINITY,
    signal,
  }: ReadOptions): AsyncGenerator<Uint8Array> {
    const isStored = this.#entry.kind === 'file'
    if (isStored) await this.#home.fetch(this.#home.session(), { signal })
    let at = 0
    for await (const bytes of this.#bytes(signal)) {
      const from = Math.max(start - at, 0)
      const to = Math.min(end - at, bytes.length)
      if (from < to) yield bytes.subarray(from, to)
      at += bytes.length
      if (isStored && at >= end) return
    }
  }

  #bytes(signal: AbortSignal | undefined): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
    const entry = this.#entry
    const session = this.#home.session()
    if (entry.kind === 'file') return fileBytes(session.opened, entry, signal)
    if (entry.kind === 'reference') return readReference(session, entry.reference, { signal })
    throw new ArtifactsError(
      'ERR_UNSUPPORTED',
      `"${this.path}" of "${this.#home.ref}" is a ${entry.kind}, not a file.`,
    )
  }
}

function entryDigest({ opened }: Session, entry: Entry): EntryDigest | undefined {
  switch (entry.kind) {
    case 'reference':
      return { algorithm: entry.reference.digest.algo, value: entry.reference.digest.value }
    case 'directory':
      return undefined
    case 'symlink':
      return { algorithm: 'sha256', value: createHash('sha256').update(entry.target).digest('hex') }
    case 'file':
      return { algorithm: 'sha256', value: fileDigest(opened, entry) }
  }
}
