/**
 * The library's one object with a lifetime: an open store. Everything it answers is plain data, ready for JSON; it knows
 * no terminal and no environment.
 */
import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { type Binding, bindingOf } from './bindings.ts'
import { type CommitOptions, type CommitReport, commitPaths } from './commit.ts'
import {
  type DiffOptions,
  type DiffReport,
  type DiffSide,
  type DirectoryStatus,
  diffSides,
  directoryStatus,
} from './differences.ts'
import { ArtifactsError } from './errors.ts'
import {
  type CheckoutOptions,
  type CheckoutReport,
  checkout,
  type DownloadOptions,
  type DownloadReport,
  download,
  downloadFile,
  listEntries,
  readFile,
  type VerifyReport,
  verify,
} from './files.ts'
import { refusalOf } from './read-only.ts'
import type { Session } from './session.ts'
import { createStore } from './store/create.ts'
import { createIo } from './store/io/io.ts'
import { openStore } from './store/open.ts'
import type { Setting } from './store/settings.ts'
import type { Entry, OperationOptions, Progress } from './types.ts'
import { TOOL } from './version.ts'
import {
  type ArtifactSummary,
  type HistoryOptions,
  history,
  listArtifacts,
  listVersions,
  type VersionDetails,
  type VersionSummary,
  versionDetails,
} from './versions.ts'

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
  /** Told what a person should hear although nothing failed, such as an index that was rebuilt. */
  readonly onNotice?: (text: string) => void
  /** Told how the rebuilding of an index goes on. */
  readonly onProgress?: (progress: Progress) => void
}

export class Store implements AsyncDisposable, Disposable {
  readonly #session: Session

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

  /** @throws ArtifactsError ERR_NO_STORE, ERR_UNSUPPORTED, ERR_DAMAGED, ERR_CONFIG. */
  static async open(options: OpenOptions = {}): Promise<Store> {
    const root =
      options.store === undefined ? findStore(options.from ?? '.') : resolve(options.store)
    const { cacheDir, onNotice, onProgress } = options
    const opened = await openStore({
      root,
      tool: TOOL,
      cacheDir,
      onNotice: onNotice && (({ message }) => onNotice(message)),
      onProgress,
    })
    const entity = options.entity ?? (opened.settings.get('entity') || userName())
    return new Store({ opened, defaults: { entity, project: opened.settings.get('project') } })
  }

  private constructor(session: Session) {
    this.#session = session
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

  close(): void {
    this.#session.opened.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close()
    return Promise.resolve()
  }

  /** Stores the content of paths as a version; see {@link CommitOptions}. */
  async commit(paths: readonly string[], options?: CommitOptions): Promise<CommitReport> {
    try {
      return await commitPaths(this.#session, paths, options)
    } catch (error) {
      throw refusalOf(this.#session, error)
    }
  }

  /** Bound directories against the versions they hold: one, or all. */
  async status(dir?: string, options?: OperationOptions): Promise<readonly DirectoryStatus[]> {
    this.#refresh()
    return directoryStatus(this.#session, dir, options)
  }

  artifacts(): readonly ArtifactSummary[] {
    this.#refresh()
    return listArtifacts(this.#session)
  }

  /** Live versions of an artifact, newest first. */
  versions(name: string): readonly VersionSummary[] {
    this.#refresh()
    return listVersions(this.#session, name)
  }

  /** Versions, newest first, of all artifacts or one. */
  history(options?: HistoryOptions): readonly VersionSummary[] {
    this.#refresh()
    return history(this.#session, options)
  }

  version(ref: string): VersionDetails {
    this.#refresh()
    return versionDetails(this.#session, ref)
  }

  /** Entries in ascending path order. */
  entries(ref: string, options?: { readonly prefix?: string }): Iterable<Entry> {
    this.#refresh()
    return listEntries(this.#session, ref, options)
  }

  /** The bytes of one file, piece by piece, each verified before it is handed out. */
  read(ref: string, path: string, options?: OperationOptions): Iterable<Uint8Array> {
    this.#refresh()
    return readFile(this.#session, ref, path, options)
  }

  async diff(from: DiffSide, to: DiffSide, options?: DiffOptions): Promise<DiffReport> {
    this.#refresh()
    return diffSides(this.#session, from, to, options)
  }

  /** Makes a directory equal to a version. */
  async checkout(ref: string, dir?: string, options?: CheckoutOptions): Promise<CheckoutReport> {
    this.#refresh()
    return checkout(this.#session, ref, dir, options)
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

  /** Checks stored bytes, or a directory against a version. */
  async verify(
    ref: string,
    options?: OperationOptions & { readonly dir?: string },
  ): Promise<VerifyReport> {
    this.#refresh()
    return verify(this.#session, ref, options)
  }

  /** The binding of the directory around `dir`, else the only one there is. */
  binding(dir?: string): Binding | undefined {
    return bindingOf(this.#session, resolve(dir ?? '.'))
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

  /** Takes up what other processes have committed. */
  #refresh(): void {
    this.#session.opened.index.refresh()
  }
}

const STORE_DIRECTORY = '.artifacts'

function findStore(from: string): string {
  for (let dir = resolve(from); ; dir = dirname(dir)) {
    const root = basename(dir) === STORE_DIRECTORY ? dir : join(dir, STORE_DIRECTORY)
    if (existsSync(root)) return root
    if (dir === dirname(dir)) {
      throw new ArtifactsError(
        'ERR_NO_STORE',
        `There is no store in "${resolve(from)}" or above.`,
        {
          hint: 'Run `artifacts init` to make one.',
        },
      )
    }
  }
}

/** A container may run under a number that has no name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'user')
  }
}
