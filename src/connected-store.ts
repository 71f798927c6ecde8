/**
 * What a store does with others: remotes, bundles, serving. Each module behind it is loaded when it is asked for, since most
 * commands have no business elsewhere.
 */
import type { ApplyBundleOptions, BundleApplied, WaitingBundle } from './apply-bundle.ts'
import type { BundleReport, CreateBundleOptions } from './create-bundle.ts'
import type { GcOptions } from './gc.ts'
import { type NotPushed, notPushed } from './pushed.ts'
import { refusalOf } from './read-only.ts'
import { StoreReader } from './reader.ts'
import type { RemoteFsckReport, RemoteGcReport } from './remote-care.ts'
import type { RemoteView } from './remote-view.ts'
import type { AddedRemote, AddRemoteOptions, RemoteCheck, RemoteSummary } from './remotes.ts'
import type { ServeOptions, Serving, TokenList } from './serve.ts'
import type { Session } from './session.ts'
import type {
  FetchOptions,
  FetchReport,
  PullOptions,
  PushOptions,
  PushReport,
  TransferReport,
} from './transfers.ts'
import type { OperationOptions } from './types.ts'

export class ConnectedStore extends StoreReader {
  readonly #now: () => Session

  /** @param session asked anew for each question. */
  protected constructor(session: () => Session) {
    super(session)
    this.#now = session
  }

  /** Sends versions to a remote; without refs, everything that it does not have. See {@link PushOptions}. */
  async push(refs: readonly string[] = [], options?: PushOptions): Promise<PushReport> {
    const { pushTo } = await import('./transfers.ts')
    return this.#reaching((session) => pushTo(session, refs, options))
  }

  /** Takes over what a remote has; without refs, everything that is new. See {@link PullOptions}. */
  async pull(refs: readonly string[] = [], options?: PullOptions): Promise<TransferReport> {
    const { pullFrom } = await import('./transfers.ts')
    return this.#reaching((session) => pullFrom(session, refs, options))
  }

  /** Reads what is new in a remote's log, or fetches bytes of a version that is partial; see {@link FetchOptions}. */
  async fetch(options?: FetchOptions): Promise<FetchReport> {
    const { fetchFrom } = await import('./transfers.ts')
    return this.#reaching((session) => fetchFrom(session, options))
  }

  /** What a remote has, by its name or address (default: the primary), without taking it over. To be disposed of. */
  async lookAt(remote?: string, options?: OperationOptions): Promise<RemoteView> {
    const { RemoteView } = await import('./remote-view.ts')
    return RemoteView.open(this.#now(), remote, options)
  }

  /** Live versions that the primary remote does not have, as far as is known; undefined where there is none. */
  notPushed(): NotPushed | undefined {
    return notPushed(this.#now())
  }

  /** Names for stores elsewhere. */
  readonly remotes = {
    /** Names one, and looks what is there; see {@link AddRemoteOptions}. The first becomes the primary. */
    add: async (name: string, url: string, options?: AddRemoteOptions): Promise<AddedRemote> => {
      const { addRemote } = await import('./remotes.ts')
      return addRemote(this.#now(), name, url, options)
    },
    /** In the order in which they were added; asks nobody. */
    list: async (): Promise<readonly RemoteSummary[]> => {
      const { listRemotes } = await import('./remotes.ts')
      return listRemotes(this.#now())
    },
    /** Forgets one; nothing happens to what lies there. */
    remove: async (name: string): Promise<RemoteSummary> => {
      const { removeRemote } = await import('./remotes.ts')
      return removeRemote(this.#now(), name)
    },
    /** Finds out how it stands with one, or with all of them. */
    check: async (name?: string, options?: OperationOptions): Promise<readonly RemoteCheck[]> => {
      const { checkRemotes } = await import('./remotes.ts')
      return checkRemotes(this.#now(), name, options)
    },
  }

  /** Removes the packs of a remote that no version there needs; see {@link GcOptions}. Pushes may go on meanwhile. */
  async gcRemote(remote: string, options?: Omit<GcOptions, 'explain'>): Promise<RemoteGcReport> {
    const { gcRemote } = await import('./remote-care.ts')
    return this.#reaching((session) => gcRemote(session, remote, options))
  }

  /** Is everything at a remote that its log names? With `data`, every byte is read. Nothing is changed. */
  async fsckRemote(
    remote: string,
    options?: OperationOptions & { readonly data?: boolean },
  ): Promise<RemoteFsckReport> {
    const { fsckRemote } = await import('./remote-care.ts')
    return this.#reaching((session) => fsckRemote(session, remote, options))
  }

  /** Writes versions into a bundle; without refs, everything that the receiver lacks. See {@link CreateBundleOptions}. */
  async createBundle(
    path: string,
    refs: readonly string[] = [],
    options?: CreateBundleOptions,
  ): Promise<BundleReport> {
    const { createBundle } = await import('./create-bundle.ts')
    return createBundle(this.#now(), path, refs, options)
  }

  /**
   * Takes over what is in a bundle: all its volumes or some, in any order, and again. Versions come as soon as all of theirs
   * is there; what came of the others waits for 30 days. See {@link ApplyBundleOptions}.
   */
  async applyBundle(
    paths: string | readonly string[],
    options?: ApplyBundleOptions,
  ): Promise<BundleApplied> {
    const { applyBundle } = await import('./apply-bundle.ts')
    try {
      return await applyBundle(this.#now(), [paths].flat(), options)
    } catch (error) {
      throw refusalOf(this.#now(), error)
    }
  }

  /** Bundles of which some volumes have come, and the rest has not. */
  async waitingBundles(): Promise<readonly WaitingBundle[]> {
    const { waitingBundles } = await import('./apply-bundle.ts')
    return waitingBundles(this.#now())
  }

  /**
   * Serves the store over HTTP until the server is closed, which comes before the store is: as a remote to read from and to
   * push to, and file by file. `url` is where it is found.
   *
   * @example
   * await using server = await store.serve({ port: 0 })
   * @throws ArtifactsError ERR_USAGE for an address other than loopback without tokens, ERR_IN_USE for a port that is taken.
   */
  async serve(options?: ServeOptions): Promise<Serving> {
    const { serve } = await import('./serve.ts')
    return serve(this.#now(), options)
  }

  /** Who may ask the server of this store, by token. */
  async serveTokens(): Promise<TokenList> {
    const { tokensOf } = await import('./serve.ts')
    return tokensOf(this.#now())
  }

  /** A step that may wait long for others elsewhere: nothing waits for it. */
  async #reaching<T>(step: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await step(this.#now())
    } catch (error) {
      throw refusalOf(this.#now(), error)
    }
  }
}
