/**
 * Gives up packs of a remote that no version there needs (docs/remote.md section 6). What a version needs its closure says, so
 * no tree is read. The operation that drops them comes first, then the bytes go; nobody waits for anybody: a push that
 * relied on a dropped pack meets that operation, and plans anew.
 */
import { randomBytes } from 'node:crypto'
import { ArtifactsError } from '../../errors.ts'
import type { Change } from '../../store/log/change.ts'
import { encodeOperation, type Operation } from '../../store/log/operation.ts'
import type { Opened } from '../../store/open.ts'
import type { ObjectId, OperationOptions } from '../../types.ts'
import type { Backend, ListedFile, RequestOptions } from '../backend.ts'
import type { Exchange } from '../exchange.ts'
import { announce, checkPosition, createOperation } from '../log/remote-log.ts'
import { checkMayPush } from '../may-push.ts'
import type { Mirror } from '../mirror/mirror.ts'
import { packName } from '../put-pack.ts'
import { readNewsToWrite } from '../read-news.ts'
import { type Age, type Leaving, planCollection } from './plan-collection.ts'

export interface CollectRequest extends OperationOptions, Pick<Age, 'grace'> {
  readonly dryRun: boolean
}

export interface Collected {
  /** Versions that were deleted before grace; they cannot come back. */
  readonly purged: readonly ObjectId[]
  /** How many packs no version needs, and how many no operation ever named. */
  readonly packs: { readonly dropped: number; readonly leftover: number }
  /** Of all packs there. */
  readonly bytesBefore: number
  readonly bytesAfter: number
  /** Files that are given up and that the remote did not let go. */
  readonly kept: readonly string[]
  /** The remote's operation. */
  readonly operation?: number
}

/** @throws ArtifactsError ERR_CLOCK, ERR_UNSUPPORTED for a remote that can't be written to, or is a store of its own, ERR_REMOTE_* */
export async function collectRemote(
  opened: Opened,
  { remote, backend }: Exchange,
  mirror: Mirror,
  { dryRun, signal, grace }: CollectRequest,
): Promise<Collected> {
  if (!dryRun) await checkMayPush(opened, remote, backend, { signal })
  await readNewsToWrite(mirror, backend, { signal })
  const files = await packFiles(backend, { signal })
  for (;;) {
    const age = { grace, now: Date.now() }
    const leaving = await planCollection(mirror, backend, files, { ...age, signal })
    const { changes } = leaving
    if (dryRun) return report(files, leaving, [])
    if (changes.length > 0) {
      await checkPosition(backend, mirror.head, { signal })
      if (!(await create(opened, mirror, backend, changes, { signal }))) {
        await readNewsToWrite(mirror, backend, { signal })
        continue
      }
    }
    const kept = await remove(backend, leaving.files, { signal })
    const done = report(files, leaving, kept)
    return changes.length === 0 ? done : { ...done, operation: mirror.head.n }
  }
}

/** The files in `packs/` by their packs' ids; others are no part of the remote. */
async function packFiles(
  backend: Backend,
  options: RequestOptions,
): Promise<Map<ObjectId, ListedFile>> {
  const files = new Map<ObjectId, ListedFile>()
  for await (const file of backend.list('packs/', options)) {
    const id = /^packs\/([0-9a-f]{64})\.pack$/.exec(file.name)?.[1]
    if (id !== undefined) files.set(id as ObjectId, file)
  }
  return files
}

/** False: somebody else was faster. */
async function create(
  opened: Opened,
  mirror: Mirror,
  backend: Backend,
  changes: readonly Change[],
  options: RequestOptions,
): Promise<boolean> {
  const operation: Operation = {
    n: mirror.head.n + 1,
    prev: mirror.head.hash,
    at: new Date().toISOString(),
    by: opened.by,
    tool: opened.tool,
    nonce: randomBytes(16).toString('hex'),
    packs: [],
    changes,
  }
  const { kind } = await createOperation(backend, operation, options)
  if (kind === 'taken') return false
  const { bytes, hash } = encodeOperation(operation)
  const entry = { kind: 'operation', operation, hash } as const
  mirror.take([{ n: operation.n, hash, bytes, entry }], backend.address)
  try {
    await announce(backend, mirror.head, options)
  } catch (error) {
    // Only a hint for those who read.
    if (!(error instanceof ArtifactsError)) throw error
  }
  return true
}

/** Returns the names of files that the remote keeps: it may allow no deleting. */
async function remove(
  backend: Backend,
  packs: readonly ObjectId[],
  options: RequestOptions,
): Promise<string[]> {
  const kept = await Promise.all(
    packs.map(async (id) => {
      try {
        await backend.delete(packName(id), options)
        return []
      } catch (error) {
        const isDenied = error instanceof ArtifactsError && error.code === 'ERR_REMOTE_DENIED'
        if (!isDenied) throw error
        return [packName(id)]
      }
    }),
  )
  return kept.flat()
}

function report(
  files: ReadonlyMap<ObjectId, ListedFile>,
  leaving: Leaving,
  kept: readonly string[],
): Collected {
  const sizeOf = (id: ObjectId): number => files.get(id)?.size ?? 0
  const bytesBefore = [...files.values()].reduce((sum, { size }) => sum + size, 0)
  const freed = leaving.files
    .filter((id) => !kept.includes(packName(id)))
    .reduce((sum, id) => sum + sizeOf(id), 0)
  const { purged, dropped, leftover } = leaving
  return {
    purged,
    packs: { dropped, leftover },
    bytesBefore,
    bytesAfter: bytesBefore - freed,
    kept,
  }
}
