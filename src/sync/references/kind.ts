/** What each kind of reference can do: say what is at a URI, and give the bytes that were recorded. */
import type { Readable } from 'node:stream'
import type { RefDefaults } from '../../store/index/resolve.ts'
import type { StateView } from '../../store/index/state.ts'
import type { OpenedStore } from '../../store/opened.ts'
import type { OperationOptions, Reference } from '../../types.ts'
import type { Network, Variables } from '../net/network.ts'

export interface ReferenceContext extends OperationOptions {
  readonly network: Network
  /** Where credentials and endpoints come from. */
  readonly env: Variables
  /** Absent for a draft that knows no store yet. */
  readonly home: ReferenceHome | undefined
}

/** The store whose versions references may lead to. */
export interface ReferenceHome {
  readonly store: OpenedStore
  readonly state: StateView
  readonly defaults: RefDefaults
}

export interface ResolveOptions extends ReferenceContext {
  /** False: only the URI is recorded; nothing is asked but, for files, their size. */
  readonly checksum: boolean
  /** More objects than this are an error; undefined: the kind's own limit. */
  readonly maxObjects: number | undefined
  /** gitignore patterns for trees of files. */
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

/** One thing below what was named. */
export type FoundItem = { readonly key: string } & (
  | { readonly kind: 'reference'; readonly reference: Reference }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'directory' }
)

/** What is at a URI: one thing, or many in a folder, whose keys are relative to it. */
export type Found =
  | { readonly kind: 'one'; readonly name: string; readonly reference: Reference }
  | { readonly kind: 'many'; readonly name: string; readonly items: readonly FoundItem[] }

export interface OpenedReference {
  /** To be read to its end or destroyed. */
  readonly body: Readable
  /** Whether the source proves already that these are the bytes that were recorded; else they must be read to know. */
  readonly proven: boolean
  /** Offset of the first byte that comes; default 0, whatever was asked for. */
  readonly from?: number
  /** What the MD5 of the bytes is by the source's own word, in hex. */
  readonly md5?: string
}

export interface ReferenceKind {
  /** @throws ArtifactsError ERR_NOT_FOUND, ERR_REMOTE_UNREACHABLE, ERR_REMOTE_DENIED, ERR_USAGE. */
  readonly resolve: (uri: string, options: ResolveOptions) => Promise<Found>
  /**
   * Opens what was recorded; where it can, at the byte `from`. @throws ArtifactsError as `resolve`, and ERR_REMOTE_CHANGED.
   */
  readonly open: (
    reference: Reference,
    context: ReferenceContext,
    from?: number,
  ) => Promise<OpenedReference>
  /**
   * Whether the source says, without sending the bytes, that they are what was recorded; false where only they can tell.
   * Kinds that can't ask so have none. @throws ArtifactsError as `open`.
   */
  readonly check?: (reference: Reference, context: ReferenceContext) => Promise<boolean>
  /** The part of a path that names the thing, where nobody has looked. */
  readonly nameOf: (uri: string) => string
  /** Whether asking needs a network. */
  readonly isRemote: boolean
}
