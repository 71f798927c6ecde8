/**
 * Receives versions from a remote or a bundle (docs/remote.md section 5): all that is lacking here is fetched, verified
 * object by object, kept in quarantine until it is whole, and put into packs that the caller's operation names.
 */
import type { Attempt } from '../../store/commit/kept-packs.ts'
import { Reliance } from '../../store/commit/reliance.ts'
import type { StateView } from '../../store/index/state.ts'
import type { JoiningPack } from '../../store/log/operation.ts'
import { encodeVersionObject } from '../../store/log/version-object.ts'
import type { OpenedStore } from '../../store/opened.ts'
import type { ObjectId, OperationOptions } from '../../types.ts'
import type { Backend } from '../backend.ts'
import { Fetcher, type Sender } from './fetcher.ts'
import { Inbox } from './inbox.ts'
import { MissingHere, type WantedContent } from './missing-here.ts'
import type { WantedVersion } from './missing-there.ts'

export interface ReceiveOptions extends OperationOptions, Partial<Attempt> {
  readonly content: WantedContent
  /** Worker threads; 0: none; default: as many as there are cores. */
  readonly jobs?: number | undefined
}

/** What came. To be disposed of when the operation is created, or will not be: what is not named then is kept for another attempt. */
export interface Received extends Disposable {
  /** To be named by the operation: they are under `packs/`, durable. */
  readonly packs: readonly JoiningPack[]
  /** Objects that were fetched. */
  readonly objects: number
  /** Bytes that were fetched. */
  readonly bytes: number
  /** The versions of which nothing is lacking now. */
  readonly whole: ReadonlySet<ObjectId>
  /** Whether everything else that the versions need is there in this state: gc may have been at work. */
  holds(state: StateView): boolean
}

/**
 * Fetches what is missing here of versions.
 * @param versions whose ids are the hashes of their objects, as those of an operation are
 * @throws ArtifactsError ERR_DAMAGED for what is not what it should be, or is not to be had; errors of the backend
 */
export async function receive(
  store: OpenedStore,
  from: { readonly backend: Backend; readonly mirror: Sender },
  versions: readonly WantedVersion[],
  options: ReceiveOptions,
): Promise<Received> {
  const { index } = store
  const { content, jobs, signal, onProgress, kept } = options
  const reliance = options.reliance ?? new Reliance(index.objects, index.refresh().applied)
  const inbox = new Inbox(store, jobs)
  const asked = { signal, onProgress }
  const sender = from.mirror
  const fetcher = new Fetcher({ backend: from.backend, sender }, inbox, store.io, {
    ...asked,
    content: content === 'all',
  })
  const missing = new MissingHere(store, reliance, inbox, fetcher, asked)
  try {
    await missing.fetch(versions, content)
    const { meta, chunks } = missing
    const own = await inbox.publish(
      (ids, at) => meta.ids.has(ids, at) || chunks.ids.has(ids, at),
      versions
        .map(({ id, object }) => ({ id, bytes: encodeVersionObject(object) }))
        .filter(({ id }) => !reliance.has(Buffer.from(id, 'hex'))),
    )
    const packs = [...(kept?.usedBy(reliance) ?? []), ...own]
    const ids = packs.map(({ id }) => id)
    return {
      packs,
      objects: meta.size + chunks.size,
      bytes: fetcher.bytes,
      whole: missing.whole,
      holds: (state) => reliance.holds(state, ids),
      [Symbol.dispose]: () => {
        if (kept !== undefined && own.some(({ id }) => !index.state.hasPack(id))) {
          kept.keep([...kept.packs, ...own])
        }
      },
    }
  } finally {
    await inbox.close()
  }
}
