/** What can be asked of a store, as it is or as it was. */
import { type Diff, type DiffOptions, type DiffSide, diffSides } from './differences.ts'
import {
  type CheckoutOptions,
  type CheckoutReport,
  checkout,
  listEntries,
  readFile,
} from './files.ts'
import type { FilePreview, PreviewOptions } from './preview.ts'
import type { Session } from './session.ts'
import type { Entry, OperationOptions } from './types.ts'
import {
  type AliasMove,
  type ArtifactSummary,
  aliasHistory,
  type HistoryOptions,
  history,
  listArtifacts,
  listVersions,
  type VersionDetails,
  type VersionSummary,
  versionDetails,
} from './versions.ts'
import { wandbDigest, wandbManifest } from './wandb.ts'

export class StoreReader {
  readonly #session: () => Session

  /** @param session asked anew for each question. */
  protected constructor(session: () => Session) {
    this.#session = session
  }

  artifacts(): readonly ArtifactSummary[] {
    return listArtifacts(this.#session())
  }

  /** Live versions of an artifact, newest first. */
  versions(name: string): readonly VersionSummary[] {
    return listVersions(this.#session(), name)
  }

  /** Versions, newest first, of all artifacts or one. */
  history(options?: HistoryOptions): readonly VersionSummary[] {
    return history(this.#session(), options)
  }

  /** Who moved an alias when, newest first; in all artifacts or one. */
  aliasHistory(alias: string, options?: HistoryOptions): readonly AliasMove[] {
    return aliasHistory(this.#session(), alias, options)
  }

  version(ref: string): VersionDetails {
    return versionDetails(this.#session(), ref)
  }

  /** Entries in ascending path order. */
  entries(ref: string, options?: { readonly prefix?: string }): Iterable<Entry> {
    return listEntries(this.#session(), ref, options)
  }

  /** The bytes of one file, piece by piece, each verified before it is handed out. */
  read(ref: string, path: string, options?: OperationOptions): Iterable<Uint8Array> {
    return readFile(this.#session(), ref, path, options)
  }

  /** The version's manifest as W&B writes it, as pieces of JSON; every byte is read. */
  wandbManifest(ref: string, options?: OperationOptions): AsyncIterable<string> {
    return wandbManifest(this.#session(), ref, options)
  }

  /** The digest that W&B would give the version: 32 hex digits. */
  async wandbDigest(ref: string, options?: OperationOptions): Promise<string> {
    return wandbDigest(this.#session(), ref, options)
  }

  /** What is to be seen in a version's files; see {@link PreviewOptions}. At most some KiB of each are read. */
  async preview(ref: string, options?: PreviewOptions): Promise<readonly FilePreview[]> {
    const { previewVersion } = await import('./preview.ts')
    return previewVersion(this.#session(), ref, options)
  }

  async diff(from: DiffSide, to: DiffSide, options?: DiffOptions): Promise<Diff> {
    return diffSides(this.#session(), from, to, options)
  }

  /** Makes a directory equal to a version. */
  async checkout(ref: string, dir?: string, options?: CheckoutOptions): Promise<CheckoutReport> {
    return checkout(this.#session(), ref, dir, options)
  }
}
