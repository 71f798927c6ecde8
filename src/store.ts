/**
 * The library's one object with a lifetime: an open store. Everything it answers is plain data, ready for JSON; it knows
 * no terminal and no environment.
 */
import { join, resolve } from 'node:path'
import { Artifact, type ArtifactOptions, draftIn } from './artifact.ts'
import type { ArtifactVersion } from './artifact-version.ts'
import { type Binding, bindingOf } from './bindings.ts'
import type { CacheCleaning, CacheContents } from './cache.ts'
import type { CloneOptions, CloneReport } from './clone.ts'
import { type CommitOptions, type CommitReport, commitPaths } from './commit.ts'
import { type LogOptions, prepareLog } from './commit-artifact.ts'
import { ConnectedStore } from './connected-store.ts'
import { type DirectoryStatus, directoryStatus } from './differences.ts'
import {
  type AddToDraftOptions,
  addPaths,
  beginDraft,
  type DraftPartReport,
  type NewDraftOptions,
  removePaths,
} from './draft-paths.ts'
import { processVariables } from './environment.ts'
import { ArtifactsError } from './errors.ts'
import type { ExportedTar, ExportTarOptions } from './export-tar.ts'
import {
  type DownloadOptions,
  type DownloadReport,
  download,
  downloadFile,
  type VerifyOptions,
  type VerifyReport,
  verify,
} from './files.ts'
import type { FindOptions } from './find.ts'
import { rootOf, STORE_DIRECTORY, userName } from './find-store.ts'
import type { FsckOptions, FsckReport } from './fsck.ts'
import type { GcOptions, GcReport } from './gc.ts'
import type { ImportTarOptions, TarSource } from './import-tar.ts'
import {
  type AliasReport,
  type ArtifactReport,
  changeAliases,
  changeTags,
  type EditOptions,
  type EditReport,
  editArtifact,
  editVersion,
  type LabelMode,
  type RenameReport,
  renameArtifact,
  type TagReport,
} from './labels.ts'
import { type Lineage, type LineageOptions, lineageOf } from './lineage.ts'
import type { LocalPath, LocalPathOptions } from './local-path.ts'
import {
  listOperations,
  type OperationDetails,
  type OperationSummary,
  operationDetails,
} from './operations.ts'
import { type Moment, PastStore } from './past.ts'
import { type LinkReport, linkVersion, type UnlinkReport, unlinkVersion } from './portfolios.ts'
import type { PruneOptions, PruneReport } from './prune.ts'
import type { SqlResult } from './query.ts'
import { Queue } from './queue.ts'
import { refusalOf } from './read-only.ts'
import { type ReferenceOptions, resolveReference } from './references.ts'
import {
  type RemoveOptions,
  type RemoveReport,
  type RestoreReport,
  removeVersions,
  restoreVersions,
} from './removal.ts'
import { Run } from './run.ts'
import { findRun, listRuns, type RunListFilter, type RunQuery, resolveRun } from './run-search.ts'
import type { StartRunOptions } from './runs.ts'
import type { Session } from './session.ts'
import {
  abortDraft,
  type DraftSummary,
  draftEntries,
  type FinishDraftOptions,
  finishSharedDraft,
  listDrafts,
  resolveDraft,
} from './shared-drafts.ts'
import type { StoreStatistics } from './statistics.ts'
import type { MergedParts } from './store/commit/finish-draft.ts'
import { createStore } from './store/create.ts'
import { createIo } from './store/io/io.ts'
import { openStore } from './store/open.ts'
import type { Setting } from './store/settings.ts'
import type { FoundEntry } from './sync/references/resolve.ts'
import type { OperationOptions, Progress } from './types.ts'
import { type UndoReport, undoOperation } from './undo.ts'
import { TOOL } from './version.ts'
import {
  expectedType,
  findVersion,
  hasVersion,
  listTypes,
  listVersionObjects,
  type VersionFilter,
} from './version-search.ts'
import type { ArtifactSummary, VersionSummary } from './versions.ts'
import type { WatchEvent, WatchOptions } from './watch.ts'

export interface InitOptions {
  /** Writable for the group, as `git init --shared`. */
  readonly shared?: boolean
}

export interface OpenOptions {
  /** The `.artifacts` directory itself; default: the nearest at or above `from`. */
  readonly store?: string
  /** Default: the current directory. */
  readonly from?: string
  /** Where databases may lie when the store is read-only or on a network file system. */
  readonly cacheDir?: string
  /** What a ref may name as its entity; default: the setting, else the user's name. */
  readonly entity?: string
  /** Variables with the credentials and endpoints of other places; default: those of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Told what a person should hear although nothing failed, such as an index that was rebuilt. */
  readonly onNotice?: (text: string) => void
  /** Told how the rebuilding of an index goes on. */
  readonly onProgress?: (progress: Progress) => void
}

export class Store extends ConnectedStore implements AsyncDisposable, Disposable {
  readonly #session: Session
  readonly #pasts: PastStore[] = []
  #isClosed = false

  /**
   * Makes `<dir>/.artifacts` and opens it. Where one is already, nothing is changed and `created` is false.
   *
   * @example
   * const { store } = await Store.init('.')
   * await store.commit(['data'], { name: 'bike', type: 'dataset' })
   */
  static async init(
    dir: string,
    options: InitOptions = {},
  ): Promise<{ readonly store: Store; readonly created: boolean }> {
    const root = join(resolve(dir), STORE_DIRECTORY)
    const io = createIo({ durability: 'power' })
    const created = createStore(root, { io, tool: TOOL, shared: options.shared ?? false })
    return { store: await Store.open({ store: root }), created }
  }

  /** Makes a store that has what lies at an address, or goes on with it; see {@link CloneOptions}. */
  static async clone(address: string, options?: CloneOptions): Promise<CloneReport> {
    const { cloneStore } = await import('./clone.ts')
    return cloneStore(Store, address, options)
  }

  /** Examines a store, also one that is too damaged to be opened; see {@link FsckOptions}. */
  static async fsck(place: OpenOptions, options?: FsckOptions): Promise<FsckReport> {
    const { checkStore } = await import('./fsck.ts')
    return checkStore(rootOf(place), place.cacheDir, options)
  }

  /** @throws ArtifactsError ERR_NO_STORE, ERR_UNSUPPORTED, ERR_DAMAGED, ERR_CONFIG. */
  static async open(options: OpenOptions = {}): Promise<Store> {
    const root = rootOf(options)
    const { cacheDir, onNotice, onProgress } = options
    const opened = await openStore({
      root,
      tool: TOOL,
      cacheDir,
      onNotice: onNotice && (({ message }) => onNotice(message)),
      onProgress,
    })
    const entity = options.entity ?? (opened.settings.get('entity') || userName())
    const defaults = { entity, project: opened.settings.get('project') }
    const env = options.env ?? processVariables()
    const session: Omit<Session, 'runOf'> = {
      opened,
      defaults,
      state: opened.index.state,
      env,
      queue: new Queue(),
      onNotice: onNotice ?? (() => {}),
    }
    return new Store(session)
  }

  private constructor(session: Omit<Session, 'runOf'>) {
    super(() => this.#now())
    this.#session = { ...session, runOf: (id) => new Run(this.#now, id) }
  }

  /** Absolute path of `.artifacts`. */
  get root(): string {
    return this.#session.opened.layout.root
  }

  /** The folder it lies in. */
  get workspace(): string {
    return this.#session.opened.workspace
  }

  /** 32 hex digits. */
  get id(): string {
    return this.#session.opened.id
  }

  /** Whatever is asked afterwards is an error. */
  close(): void {
    this.#isClosed = true
    for (const past of this.#pasts) past.close()
    this.#session.opened.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Waits for what is being committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.queue.idle()
    this.close()
  }

  /** The entity that refs may name. */
  get entity(): string {
    return this.#session.defaults.entity
  }

  /** The project of refs that name none. */
  get project(): string {
    return this.#session.defaults.project
  }

  /** Logs a draft outside of any run; see {@link LogOptions}. Numbers follow the order of the calls, awaited or not. */
  commit(artifact: Artifact, options?: LogOptions): Promise<ArtifactVersion>
  /** Stores the content of paths as a version; see {@link CommitOptions}. */
  commit(paths: readonly string[], options?: CommitOptions): Promise<CommitReport>
  async commit(
    what: Artifact | readonly string[],
    options?: LogOptions & CommitOptions,
  ): Promise<ArtifactVersion | CommitReport> {
    const { queue } = this.#session
    try {
      this.#refresh()
      if (!(what instanceof Artifact)) {
        return await queue.run(() => commitPaths(this.#session, what, options))
      }
      const log = prepareLog(this.#session, what, options)
      return await this.fromId(await queue.run(log))
    } catch (error) {
      throw refusalOf(this.#session, error)
    }
  }

  /** A draft that keeps what files hold when they are added, whatever becomes of them before it is logged. */
  draft(name: string, options: ArtifactOptions): Artifact {
    return draftIn(this.#now, name, options)
  }

  /** The version that a ref means. @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_TYPE_MISMATCH. */
  async artifact(ref: string, options?: { readonly type?: string }): Promise<ArtifactVersion> {
    return findVersion(this.#now, ref, options)
  }

  /** The version with this id, or with the only id that begins so. */
  async fromId(id: string): Promise<ArtifactVersion> {
    return findVersion(this.#now, `@${id}`)
  }

  /** The type that a version of this name must have; undefined where there is none yet. */
  async expectedType(name: string): Promise<string | undefined> {
    return expectedType(this.#now(), name)
  }

  async artifactExists(ref: string, options?: { readonly type?: string }): Promise<boolean> {
    return hasVersion(this.#now(), ref, options)
  }

  /** Live versions, the newest first; see {@link VersionFilter}. Without a filter, facts of all artifacts. */
  override artifacts(): readonly ArtifactSummary[]
  override artifacts(filter: VersionFilter): AsyncIterable<ArtifactVersion>
  override artifacts(
    filter?: VersionFilter,
  ): readonly ArtifactSummary[] | AsyncIterable<ArtifactVersion> {
    return filter === undefined ? super.artifacts() : listVersionObjects(this.#now, filter)
  }

  /** The types that artifacts have, of one project or of all. */
  async types(options: { readonly project?: string } = {}): Promise<readonly string[]> {
    return listTypes(this.#now(), options.project)
  }

  /** The entries that refer to what is at a URI; see {@link ReferenceOptions}. */
  async resolveReference(
    uri: string | URL,
    options?: ReferenceOptions,
  ): Promise<readonly FoundEntry[]> {
    this.#refresh()
    return resolveReference(this.#session, uri, options)
  }

  /** Bound directories against the versions they hold: one, or all. */
  async status(dir?: string, options?: OperationOptions): Promise<readonly DirectoryStatus[]> {
    this.#refresh()
    return directoryStatus(this.#session, dir, options)
  }

  /** Adds a version's files to a directory. */
  async download(ref: string, dir?: string, options?: DownloadOptions): Promise<DownloadReport> {
    this.#refresh()
    return download(this.#session, ref, dir, options)
  }

  /** Downloads a version of one file and returns its path. */
  async file(ref: string, dir?: string, options?: OperationOptions): Promise<string> {
    this.#refresh()
    return downloadFile(this.#session, ref, dir, options)
  }

  /**
   * A read-only local copy of a version, or of one path in it, from the cache: the folder, or the file where it is one.
   * It stays for 7 days from the last time it was asked for, and while a run that uses the version runs.
   */
  async localPath(ref: string, options?: LocalPathOptions): Promise<LocalPath> {
    this.#refresh()
    const { localPath } = await import('./local-path.ts')
    return localPath(this.#session, ref, options)
  }

  /**
   * A version as a tar of its files; equal content gives equal bytes.
   *
   * @example
   * const { content } = await store.exportTar('bike:v3')
   * await pipeline(content, createWriteStream('bike.tar'))
   */
  async exportTar(ref: string, options?: ExportTarOptions): Promise<ExportedTar> {
    this.#refresh()
    const { exportTar } = await import('./export-tar.ts')
    return exportTar(this.#session, ref, options)
  }

  /** Stores what a tar holds, a file or a stream, packed by gzip or not, as a version. */
  async importTar(source: TarSource, options?: ImportTarOptions): Promise<CommitReport> {
    const { importTar } = await import('./import-tar.ts')
    return this.#writing((session) => importTar(session, source, options))
  }

  /**
   * Commits a directory whenever nothing in it has changed for a while, until the signal is aborted; see {@link WatchOptions}.
   *
   * @example
   * for await (const event of store.watch('data', { signal })) {
   *   if (event.type === 'version') console.log(event.ref)
   * }
   */
  async *watch(dir: string, options?: WatchOptions): AsyncGenerator<WatchEvent, void, undefined> {
    const { watchDirectory } = await import('./watch.ts')
    const writing = <T>(step: (session: Session) => Promise<T>): Promise<T> => this.#writing(step)
    yield* watchDirectory({ session: this.#now, writing }, dir, options)
  }

  /** Checks stored bytes, or a directory against a version. */
  async verify(ref: string, options?: VerifyOptions): Promise<VerifyReport> {
    this.#refresh()
    return verify(this.#session, ref, options)
  }

  /** Gives aliases to a version, takes them away, or sets all but `latest`. */
  async alias(
    ref: string,
    aliases: readonly string[],
    options: { readonly mode?: LabelMode } = {},
  ): Promise<AliasReport> {
    this.#refresh()
    return changeAliases(this.#session, ref, aliases, options.mode)
  }

  /** Adds tags to a version, removes or sets them. */
  async tag(
    ref: string,
    tags: readonly string[],
    options: { readonly mode?: LabelMode } = {},
  ): Promise<TagReport> {
    this.#refresh()
    return changeTags(this.#session, ref, tags, options.mode)
  }

  /** Changes description, metadata or time to live of a version. */
  async edit(ref: string, options: EditOptions): Promise<EditReport> {
    this.#refresh()
    return editVersion(this.#session, ref, options)
  }

  /** Changes description or type of an artifact. */
  async editArtifact(
    name: string,
    options: { readonly description?: string; readonly type?: string },
  ): Promise<ArtifactReport> {
    this.#refresh()
    return editArtifact(this.#session, name, options)
  }

  /** Gives an artifact another name; versions, aliases and bound directories stay with it. */
  async rename(name: string, to: string): Promise<RenameReport> {
    this.#refresh()
    return renameArtifact(this.#session, name, to)
  }

  /** Deletes versions; they can be restored until gc has removed their bytes. */
  async remove(refs: readonly string[], options?: RemoveOptions): Promise<RemoveReport> {
    this.#refresh()
    return removeVersions(this.#session, refs, options)
  }

  /** Brings deleted versions back. */
  async restore(refs: readonly string[]): Promise<RestoreReport> {
    this.#refresh()
    return restoreVersions(this.#session, refs)
  }

  /** Takes back what an operation did to the store; by default the newest of this user on this host. */
  async undo(operation?: number): Promise<UndoReport> {
    this.#refresh()
    return undoOperation(this.#session, operation)
  }

  /**
   * Starts a run; what is logged and used through it is recorded as its output and input.
   *
   * @example
   * await using run = await store.startRun({ job: 'train', config: { lr: 0.001 } })
   * @throws ArtifactsError ERR_INVALID_NAME, ERR_EXISTS for an id that is taken.
   */
  async startRun(options: StartRunOptions & { readonly alive?: boolean } = {}): Promise<Run> {
    try {
      return await Run.start(this.#now, options, this.#session.onNotice)
    } catch (error) {
      throw refusalOf(this.#session, error)
    }
  }

  /** The run that `[[entity/]project/]id` or `[project/]name` means. @throws ArtifactsError ERR_NOT_FOUND. */
  async run(path: string): Promise<Run> {
    return new Run(this.#now, resolveRun(this.#now(), path).id)
  }

  /** The newest run that fits. @throws ArtifactsError ERR_NOT_FOUND. */
  async findRun(query: RunQuery): Promise<Run> {
    return new Run(this.#now, findRun(this.#now(), query).id)
  }

  /** Runs that fit, the newest first. */
  async *runs(filter?: RunListFilter): AsyncGenerator<Run, void, undefined> {
    for (const { id } of listRuns(this.#now(), filter)) yield new Run(this.#now, id)
  }

  /** Makes a version the newest of a portfolio, which is made if it does not exist. */
  async link(
    ref: string,
    portfolio: string,
    options?: { readonly aliases?: readonly string[] },
  ): Promise<LinkReport> {
    return linkVersion(this.#now(), ref, portfolio, options)
  }

  /** Takes a version out of a portfolio, as `champion:v2`. */
  async unlink(ref: string): Promise<UnlinkReport> {
    return unlinkVersion(this.#now(), ref)
  }

  /** Where a version comes from and what came of it; see {@link LineageOptions}. */
  lineage(ref: string, options?: LineageOptions): Lineage {
    return lineageOf(this.#now(), ref, options)
  }

  /** Drafts that several processes build together and that are open, the oldest first. */
  drafts(): readonly DraftSummary[] {
    return listDrafts(this.#now())
  }

  /** An open draft by its id, the beginning of that, or its key; without one, the only draft that is open. */
  openDraft(draft?: string): DraftSummary {
    return resolveDraft(this.#now(), draft)
  }

  /** Begins a draft for others to add to; see {@link NewDraftOptions}. */
  async beginDraft(name: string, options?: NewDraftOptions): Promise<DraftSummary> {
    return this.#writing((session) => beginDraft(session, name, options))
  }

  /** Adds paths to an open draft, as `commit` would store them. */
  async addToDraft(
    paths: readonly string[],
    options?: AddToDraftOptions,
  ): Promise<DraftPartReport> {
    return this.#writing((session) => addPaths(session, paths, options))
  }

  /** Takes entries away from an open draft. */
  async removeFromDraft(
    paths: readonly string[],
    options: { readonly draft?: string } = {},
  ): Promise<DraftPartReport> {
    return this.#writing((session) => removePaths(session, paths, options.draft))
  }

  /** What was added to an open draft, merged, without what it starts from; and in words, where writers disagree. */
  draftEntries(draft?: string): MergedParts {
    const session = this.#now()
    return draftEntries(session, resolveDraft(session, draft).id)
  }

  /** Makes a version of an open draft. */
  async finishDraft(draft?: string, options?: FinishDraftOptions): Promise<ArtifactVersion> {
    const { version } = await this.#writing((session) =>
      finishSharedDraft(session, resolveDraft(session, draft).id, options),
    )
    return this.fromId(version)
  }

  /** Gives an open draft up. */
  async abortDraft(draft?: string): Promise<DraftSummary> {
    return this.#writing(async (session) => {
      const open = resolveDraft(session, draft)
      await abortDraft(session, open.id)
      return open
    })
  }

  /** The operations of the log, newest first. */
  operations(options?: { readonly limit?: number }): Iterable<OperationSummary> {
    this.#refresh()
    return listOperations(this.#session, options)
  }

  /** All facts of one operation. */
  operation(n: number): OperationDetails {
    this.#refresh()
    return operationDetails(this.#session, n)
  }

  /** The store as it was after an operation or at a time; it holds memory until it or the store is closed. */
  at(moment: Moment): PastStore {
    this.#refresh()
    const past = new PastStore(this.#session, moment)
    this.#pasts.push(past)
    return past
  }

  /** Removes the bytes that no version needs; see {@link GcOptions}. */
  async gc(options?: GcOptions): Promise<GcReport> {
    this.#refresh()
    const { runGc } = await import('./gc.ts')
    return runGc(this.#session, options)
  }

  /** Deletes the versions of an artifact that no rule keeps; see {@link PruneOptions}. */
  async prune(name: string, options: PruneOptions): Promise<PruneReport> {
    this.#refresh()
    const { pruneVersions } = await import('./prune.ts')
    return pruneVersions(this.#session, name, options)
  }

  /** How much the store holds, what that takes, and what gc would free. */
  async statistics(options?: OperationOptions): Promise<StoreStatistics> {
    this.#refresh()
    const { storeStatistics } = await import('./statistics.ts')
    return storeStatistics(this.#session, options)
  }

  /**
   * Live versions that meet all terms, newest first.
   *
   * @example
   * store.find(['type=model', 'tag=prod', 'meta.acc>0.9', 'run.job=train', 'created>2026-05-01'])
   */
  async find(terms: readonly string[], options?: FindOptions): Promise<readonly VersionSummary[]> {
    this.#refresh()
    const { findVersions } = await import('./find.ts')
    return findVersions(this.#session, terms, options)
  }

  /** Answers a query in SQL that only reads; docs/sql.md has the views. Values stand for `?`. */
  async sql(query: string, values?: readonly (string | number | null)[]): Promise<SqlResult> {
    this.#refresh()
    const { querySql } = await import('./query.ts')
    return querySql(this.#session, query, values)
  }

  /** The binding of the directory around `dir`, else the only one there is. */
  binding(dir?: string): Binding | undefined {
    this.#refresh()
    return bindingOf(this.#session, resolve(dir ?? '.'))
  }

  /** The local copies that `localPath` has handed out. */
  readonly cache = {
    list: async (): Promise<CacheContents> => {
      const { listedCache } = await import('./cache.ts')
      return listedCache(this.#session)
    },
    /** Removes what was not handed out in the last 7 days, until at most `size` (such as `5GB`) is left. */
    clean: async (size?: string): Promise<CacheCleaning> => {
      const { cleanedCache } = await import('./cache.ts')
      return cleanedCache(this.#session, size)
    },
  }

  readonly settings = {
    get: (key: string): string => this.#session.opened.settings.get(key),
    set: (key: string, value: string): void => {
      const { opened } = this.#session
      try {
        opened.settings = opened.settings.set(key, value, opened.io)
      } catch (error) {
        throw refusalOf(this.#session, error)
      }
    },
    list: (): readonly Setting[] => this.#session.opened.settings.list(),
  }

  /** A step that writes, in its turn. */
  async #writing<T>(step: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await this.#session.queue.run(() => step(this.#now()))
    } catch (error) {
      throw refusalOf(this.#session, error)
    }
  }

  /** Takes up what other processes have committed. */
  #refresh(): void {
    if (this.#isClosed) {
      throw new ArtifactsError('ERR_USAGE', `The store "${this.root}" is closed.`, {
        hint: 'Ask before it is closed, or open it again: `Store.open()`.',
      })
    }
    this.#session.opened.index.refresh()
  }

  readonly #now = (): Session => {
    this.#refresh()
    return this.#session
  }
}
