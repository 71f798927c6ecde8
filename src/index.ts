/** The public API. */
export type { Binding } from './bindings.ts'
export type { CommitOptions, CommitReport } from './commit.ts'
export type {
  Change,
  DiffOptions,
  DiffReport,
  DiffSide,
  DirectoryStatus,
  EntrySummary,
} from './differences.ts'
export {
  ArtifactsError,
  type ErrorCode,
  type ErrorDetails,
  EXIT_CODES,
  isSystemError,
} from './errors.ts'
export type {
  CheckoutOptions,
  CheckoutReport,
  DownloadOptions,
  DownloadReport,
  VerifyReport,
} from './files.ts'
export { formatRef, parseRef, type Ref, type Selector } from './names.ts'
export type { Setting } from './store/settings.ts'
export { type InitOptions, type OpenOptions, Store } from './store.ts'
export type * from './types.ts'
export { VERSION } from './version.ts'
export type {
  ArtifactSummary,
  HistoryOptions,
  VersionDetails,
  VersionSummary,
} from './versions.ts'
