/** What a remote has, seen from here without taking it over: artifacts, versions, labels. */
import { StoreReader } from './reader.ts'
import type { Session } from './session.ts'
import { Exchange } from './sync/exchange.ts'
import { remoteNamed } from './sync/remotes.ts'
import { nothingThere } from './transfers.ts'
import type { OperationOptions } from './types.ts'

export class RemoteView extends StoreReader implements AsyncDisposable {
  readonly #exchange: Exchange

  private constructor(session: Session, exchange: Exchange) {
    super(() => session)
    this.#exchange = exchange
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
