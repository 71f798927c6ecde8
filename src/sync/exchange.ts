/** A remote that is open, with what this store knows of it, and a count of what was asked of it. */
import { ArtifactsError } from '../errors.ts'
import type { Opened } from '../store/open.ts'
import { type Backend, type RequestOptions, readAll } from './backend.ts'
import type { RequestKind } from './backends/observed.ts'
import { FORMAT_NAME, operationName } from './log/names.ts'
import { Mirror } from './mirror/mirror.ts'
import { knownAddress, noteStore } from './remote-notes.ts'
import { type OpenRemoteOptions, openRemote, type Remote } from './remotes.ts'

const LARGEST_FORMAT = 65_536

/** How many requests of each kind were made, those that were tried again too. */
export type Requests = { -readonly [Kind in RequestKind]: number }

export class Exchange implements AsyncDisposable {
  readonly remote: Remote
  readonly backend: Backend
  readonly requests: Requests
  /** Undefined: there is no store yet. */
  mirror: Mirror | undefined
  /** Hears of every byte that was sent, once. */
  onSent: ((bytes: number) => void) | undefined
  readonly #opened: Opened

  private constructor(opened: Opened, remote: Remote, backend: Backend, requests: Requests) {
    this.#opened = opened
    this.remote = remote
    this.backend = backend
    this.requests = requests
  }

  /** Opens a remote. One whose log was read before is not asked for anything yet. */
  static async open(
    opened: Opened,
    remote: Remote,
    options: OpenRemoteOptions & RequestOptions,
  ): Promise<Exchange> {
    const requests = { get: 0, head: 0, putIfAbsent: 0, put: 0, list: 0, delete: 0 }
    let exchange: Exchange | undefined
    const backend = await openRemote(opened, remote, {
      ...options,
      onSent: (bytes) => exchange?.onSent?.(bytes),
      onRequest: (kind, name) => {
        requests[kind]++
        options.onRequest?.(kind, name)
      },
    })
    exchange = new Exchange(opened, remote, backend, requests)
    try {
      const { store } = knownAddress(opened, remote.url)
      exchange.mirror = store === undefined ? undefined : await Mirror.open(opened, store)
      if (exchange.mirror === undefined) await exchange.identify(options)
      return exchange
    } catch (error) {
      await exchange[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Asks which store lies there, and opens what is known of that one. */
  async identify(options: RequestOptions = {}): Promise<void> {
    const { backend, remote } = this
    const format = await readFormat(backend, options)
    if (format === undefined) return
    this.mirror = await Mirror.of(this.#opened, format, backend.address)
    noteStore(this.#opened, remote, this.mirror.store)
  }

  /** How many requests were made. */
  get requestCount(): number {
    return Object.values(this.requests).reduce((sum, count) => sum + count, 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.mirror?.close()
    await this.backend[Symbol.asyncDispose]()
  }
}

/** The remote's `format.json`; undefined where nothing lies. @throws ArtifactsError ERR_REMOTE_CHANGED where it was lost */
async function readFormat(backend: Backend, options: RequestOptions): Promise<Buffer | undefined> {
  try {
    return await readAll(backend, FORMAT_NAME, { most: LARGEST_FORMAT, ...options })
  } catch (error) {
    if (!(error instanceof ArtifactsError) || error.code !== 'ERR_NOT_FOUND') throw error
  }
  if ((await backend.head(operationName(1), options)) === undefined) return undefined
  throw new ArtifactsError(
    'ERR_REMOTE_CHANGED',
    `"${backend.address}" has operations, and no "${FORMAT_NAME}".`,
    { hint: 'Somebody has removed it, or this is no remote. Ask who looks after it.' },
  )
}
