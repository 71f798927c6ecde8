/** Puts packs into a remote, several at once: data first, then metadata, then index packs, so that what a pack names is there. */
import type { PackKind } from '../store/log/operation.ts'
import type { Opened } from '../store/open.ts'
import type { Backend, RequestOptions } from './backend.ts'
import type { Mirror } from './mirror/mirror.ts'
import { packName, putPack } from './put-pack.ts'
import { SentPacks } from './sent.ts'
import type { OutgoingPack } from './transfer/outgoing.ts'

export interface SendOptions extends RequestOptions {
  /** Packs at once. */
  readonly jobs: number
}

/** Returns the packs once all of them are there. One that a push before this one has sent is not sent again. */
export async function sendPacks(
  opened: Opened,
  { backend, mirror }: { readonly backend: Backend; readonly mirror: Mirror },
  packs: AsyncIterable<OutgoingPack>,
  { jobs, signal }: SendOptions,
): Promise<OutgoingPack[]> {
  const sent = new SentPacks(opened, mirror.store)
  const all: OutgoingPack[] = []
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  const send = async (pack: OutgoingPack): Promise<void> => {
    const isThere = sent.has(pack.id) && (await hasPack(backend, pack, { signal }))
    if (!isThere) await putPack(backend, pack.id, pack.source, { signal })
    sent.add(pack.id)
  }
  let rank = 0
  try {
    for await (const pack of packs) {
      if (RANKS[pack.kind] > rank) await Promise.all(running)
      rank = RANKS[pack.kind]
      while (running.size >= jobs) await Promise.race(running)
      if (failures.length > 0) break
      signal?.throwIfAborted()
      all.push(pack)
      const task: Promise<void> = send(pack)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => {
          running.delete(task)
          pack.release()
        })
      running.add(task)
      // The last ones: when they are through, files of packs that were made for sending go.
      if (pack.kind === 'index') await Promise.all(running)
    }
  } finally {
    await Promise.all(running)
  }
  if (failures.length > 0) throw failures[0]
  return all
}

const RANKS: Readonly<Record<PackKind, number>> = { data: 0, mixed: 1, meta: 1, index: 2 }

async function hasPack(
  backend: Backend,
  { id, bytes }: OutgoingPack,
  options: RequestOptions,
): Promise<boolean> {
  return (await backend.head(packName(id), options))?.size === bytes
}
