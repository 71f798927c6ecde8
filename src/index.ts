/** The public API. */
export type { ApplyBundleOptions, BundleApplied, WaitingBundle } from './apply-bundle.ts'
export {
  type AddDirOptions,
  type AddFileOptions,
  type AddReferenceOptions,
  Artifact,
  type ArtifactOptions,
} from './artifact.ts'
export type { ArtifactEntry, EntryDigest, ReadOptions } from './artifact-entry.ts'
export type { ArtifactVersion, FilesOptions, VersionDownloadOptions } from './artifact-version.ts'
export type { Binding } from './bindings.ts'
export {
  type BundleVerification,
  type ListedBundle,
  type ListedPrerequisite,
  type ListedVersion,
  listBundle,
  type VerifyBundleOptions,
  verifyBundle,
} from './bundles.ts'
export type { CacheCleaning, CacheContents, CachedCopy } from './cache.ts'
export type { CloneOptions, CloneReport } from './clone.ts'
export type { CommitOptions, CommitReport } from './commit.ts'
export type { LogOptions } from './commit-artifact.ts'
export {
  type Description,
  describe as describeContents,
  type Mark,
  type MarkedCell,
  type MarkedLine,
  type MarkedRow,
} from './content-diff/description.ts'
export type * from './content-diff/difference.ts'
export type { ChangeWithContents, ContentsOptions } from './content-differences.ts'
export type { BundleReport, CreateBundleOptions } from './create-bundle.ts'
export { diffAsHtml } from './diff-html.ts'
export { diffAsMarkdown } from './diff-markdown.ts'
export type {
  Change,
  Diff,
  DiffOptions,
  DiffReport,
  DiffSide,
  DirectoryStatus,
  EntrySummary,
} from './differences.ts'
export type { AddToDraftOptions, DraftPartReport, NewDraftOptions } from './draft-paths.ts'
export {
  ArtifactsError,
  type ErrorCode,
  type ErrorDetails,
  EXIT_CODES,
  isSystemError,
} from './errors.ts'
export type { ExportedTar, ExportTarOptions } from './export-tar.ts'
export type {
  CheckoutOptions,
  CheckoutReport,
  DownloadOptions,
  DownloadReport,
  VerifyOptions,
  VerifyReport,
} from './files.ts'
export type { FindOptions } from './find.ts'
export type { FsckOptions, FsckReport } from './fsck.ts'
export type { ExplainedVersion, Explanation, GcOptions, GcReport } from './gc.ts'
export type { ImportTarOptions, TarSource } from './import-tar.ts'
export type {
  AliasReport,
  ArtifactReport,
  EditOptions,
  EditReport,
  LabelMode,
  LabelReport,
  RenameReport,
  TagReport,
} from './labels.ts'
export type {
  Lineage,
  LineageEdge,
  LineageOptions,
  LineageRun,
  LineageVersion,
} from './lineage.ts'
export type { LocalPath, LocalPathOptions } from './local-path.ts'
export { formatRef, parseRef, type Ref, type Selector } from './names.ts'
export type { DraftEntry, NewFile, NewFileOptions } from './new-file.ts'
export type { OperationDetails, OperationSummary } from './operations.ts'
export type { Moment, PastStore } from './past.ts'
export type { LinkReport, UnlinkReport } from './portfolios.ts'
export type { FilePreview, PreviewOptions } from './preview.ts'
export type { ArchivedFile, ArchivePreview } from './previews/archives.ts'
export type { Member as OutlineMember, Outline, ValuesPreview } from './previews/outline.ts'
export type { BytesPreview, ImagePreview, Preview } from './previews/preview.ts'
export type { TablePreview } from './previews/table.ts'
export type { PreviewedTensor, TensorsPreview } from './previews/tensors.ts'
export type { TextPreview } from './previews/text.ts'
export type { PruneOptions, PruneReport } from './prune.ts'
export type { NotPushed } from './pushed.ts'
export type { SqlCell, SqlResult } from './query.ts'
export type { StoreReader } from './reader.ts'
export type { ReferenceOptions } from './references.ts'
export type { RemoteFsckReport, RemoteGcReport } from './remote-care.ts'
export type { RemoteView } from './remote-view.ts'
export type {
  AddedRemote,
  AddRemoteOptions,
  RemoteCheck,
  RemoteSummary,
  Verdict,
} from './remotes.ts'
export type { RemovedVersion, RemoveOptions, RemoveReport, RestoreReport } from './removal.ts'
export { Run } from './run.ts'
export type {
  FinishArtifactOptions,
  LogObjectOptions,
  RunLogOptions,
  UpsertOptions,
} from './run-artifacts.ts'
export type { RunListFilter, RunQuery } from './run-search.ts'
export type {
  FinishOptions,
  RunEdge,
  RunLabels,
  RunSource,
  RunSummary,
  StartRunOptions,
  UseOptions,
} from './runs.ts'
export type { ServeOptions, Serving, Token, TokenList } from './serve.ts'
export type { DraftPartSummary, DraftSummary, FinishDraftOptions } from './shared-drafts.ts'
export type { StoreStatistics } from './statistics.ts'
export type { MergedParts } from './store/commit/finish-draft.ts'
export type { Change as OperationChange, Ttl } from './store/log/change.ts'
export type { Setting } from './store/settings.ts'
export { type InitOptions, type OpenOptions, Store } from './store.ts'
export type { FoundEntry } from './sync/references/resolve.ts'
export type {
  FetchOptions,
  FetchReport,
  PullOptions,
  PushOptions,
  PushReport,
  TransferOptions,
  TransferReport,
} from './transfers.ts'
export type * from './types.ts'
export type { UndoReport } from './undo.ts'
export type { VersionChanges } from './update-version.ts'
export type { Cell } from './values/cells.ts'
export type { ImageSize } from './values/image-size.ts'
export { type JoinedRow, type JoinedSide, JoinedTable } from './values/joined-table.ts'
export type { MediaKind } from './values/kinds.ts'
export {
  type Box,
  type Classes,
  type Mask,
  Media,
  type MediaFile,
  type MediaOptions,
} from './values/media.ts'
export { NdArray, type TypedArray } from './values/npy.ts'
export { PartitionedTable } from './values/partitioned-table.ts'
export { Table } from './values/table.ts'
export type { TypedValue } from './values/values.ts'
export { VERSION } from './version.ts'
export type { VersionTtl } from './version-facts.ts'
export type { VersionFilter } from './version-search.ts'
export type {
  AliasMove,
  ArtifactSummary,
  HistoryOptions,
  VersionDetails,
  VersionSummary,
} from './versions.ts'
export type { WatchEvent, WatchOptions } from './watch.ts'
