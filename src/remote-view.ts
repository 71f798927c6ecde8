/** What a remote has, seen from here without taking it over: artifacts, versions, labels. */
import { ArtifactsError } from './errors.ts'
import { StoreReader } from './reader.ts'
import { type Session, versionOf } from './session.ts'
import { Exchange } from './sync/exchange.ts'
import { remoteNamed } from './sync/remotes.ts'
import { nothingThere } from './transfers.ts'
import type { Entry, OperationOptions } from './types.ts'

export class RemoteView extends StoreReader implements AsyncDisposable {
  readonly #session: Session
  readonly #exchange: Exchange

  private constructor(session: Session, exchange: Exchange) {
    super(() => session)
    this.#session = session
    this.#exchange = exchange
  }

  /** As of a store, where the list of entries is here. @throws ArtifactsError ERR_NOT_FETCHED where it is not */
  override entries(ref: string, options?: { readonly prefix?: string }): Iterable<Entry> {
    const { version } = versionOf(this.#session, ref)
    const { index } = this.#session.opened
    if (index.objects.has(Buffer.from(version.object.root, 'hex')))
      return super.entries(ref, options)
    const { name } = this.#exchange.remote
    throw new ArtifactsError(
      'ERR_NOT_FETCHED',
      `The list of the entries of "${ref}" is not here.`,
      {
        hint: `Take it over, without bytes: \`artifacts pull ${ref} --remote ${name} --no-data\`.`,
      },
    )
  }

  /**
   * Reads what is new in the remote's log.
   * @throws ArtifactsError ERR_NOT_FOUND where nothing lies, ERR_REMOTE_*
   */
  static async open(
    session: Session,
    name: string | undefined,
    { signal }: OperationOptions = {},
  ): Promise<RemoteView> {
    const { opened, env } = session
    const remote = remoteNamed(opened, name)
    const exchange = await Exchange.open(opened, remote, { env, signal })
    try {
      const { mirror, backend } = exchange
      if (mirror === undefined) throw nothingThere(remote)
      await mirror.readNews(backend, { signal })
      return new RemoteView({ ...session, state: mirror.state }, exchange)
    } catch (error) {
      await exchange[Symbol.asyncDispose]()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#exchange[Symbol.asyncDispose]()
  }
}
