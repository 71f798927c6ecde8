/** The vocabulary that every layer shares: types only, no logic. */

/** Anything JSON can hold. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }
export type Metadata = { readonly [key: string]: Json }

/** SHA-256 of an object in its domain (docs/format.md section 2), 64 lower-case hex digits. */
export type ObjectId = string & { readonly __brand: 'ObjectId' }
/** A path inside a version that passed the rules of docs/format.md section 5. */
export type EntryPath = string & { readonly __brand: 'EntryPath' }
/** Random, 32 hex digits, given when the artifact is created; survives renames. */
export type ArtifactId = string & { readonly __brand: 'ArtifactId' }

/** Where a file's bytes are: in the entry itself (up to 64 bytes), one chunk, or a recipe of chunks. */
export type Content =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | { readonly kind: 'chunk' | 'recipe'; readonly id: ObjectId }

export interface FileEntry {
  readonly kind: 'file'
  readonly path: EntryPath
  readonly executable: boolean
  /** Bytes. */
  readonly size: number
  readonly content: Content
}
export interface SymlinkEntry {
  readonly kind: 'symlink'
  readonly path: EntryPath
  readonly target: string
}
/** A directory with no entry below it. */
export interface DirectoryEntry {
  readonly kind: 'directory'
  readonly path: EntryPath
}
export interface ReferenceEntry {
  readonly kind: 'reference'
  readonly path: EntryPath
  readonly reference: Reference
}
/** One path in a version. */
export type Entry = FileEntry | SymlinkEntry | DirectoryEntry | ReferenceEntry

/** An entry whose bytes stay elsewhere. */
export interface Reference {
  readonly uri: string
  /** `sha256`, `md5` or `crc32c` of the bytes, in hex; `etag`, without quotes; `uri`, the SHA-256 of the URI. */
  readonly digest: { readonly algo: string; readonly value: string }
  /** Bytes, where the source says so. */
  readonly size?: number
  readonly etag?: string
  readonly versionId?: string
  /** False while nobody has looked at the source, for want of a network. */
  readonly resolved: boolean
}

/** The frozen part of a version; its canonical JSON is stored as an object, whose id is the version's identity. */
export interface VersionObject {
  /** Sum of the sizes of all entries. */
  readonly bytes: number
  /** UTC, ISO 8601 with milliseconds. */
  readonly createdAt: string
  /** Number of entries other than directories. */
  readonly files: number
  /** Ids of the versions this one was derived from. */
  readonly parents: readonly ObjectId[]
  /** Id of the tree's root node: the version's digest. */
  readonly root: ObjectId
  readonly run?: string
}

/** What long work reports as it goes; `total` is absent while unknown. Bytes and files only ever grow. */
export interface Progress {
  readonly phase: 'scan' | 'read' | 'write' | 'verify' | 'index' | 'mark' | 'send' | 'receive'
  readonly files: number
  readonly bytes: number
  readonly total?: { readonly files: number; readonly bytes: number }
}

/** Accepted by every call that can take long. */
export interface OperationOptions {
  /** Aborting rejects with the signal's reason, untouched, and leaves the store as it was. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}
